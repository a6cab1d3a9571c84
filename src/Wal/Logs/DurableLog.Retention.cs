using Danube.Fast.Core;

namespace Danube.Fast.Wal;

// What the policy does not keep: whole segments from the front. Runs on: the janitor.
internal sealed partial class DurableLog
{
    private LogRetention _retention;

    public override void SetRetention(LogRetention retention)
    {
        lock (_roomLock)
        {
            _retention = retention;
        }
    }

    /// <summary>Deletes whole segments that the policy does not keep; rolls to an empty one when time has passed the active segment too.</summary>
    internal void ApplyRetention()
    {
        LogRetention policy;
        lock (_roomLock)
        {
            policy = _retention;
        }

        if ((policy.MaxAgeMs <= 0 && policy.MaxBytes <= 0) || IsClosed)
        {
            return;
        }

        if (RequestOpening())
        {
            return; // The next round finds it open.
        }

        lock (_deleteLock)
        {
            if (CanDelete)
            {
                DeleteExpired(policy);
            }
        }
    }

    private void DeleteExpired(LogRetention policy)
    {
        // The longest ages mean "for ever": they must not overflow into the future.
        long oldest = policy.MaxAgeMs > 0 ? _directory.NowMicros - (Math.Min(policy.MaxAgeMs, long.MaxValue / 1000) * 1000) : long.MinValue;
        long end = Volatile.Read(ref _committed);
        if (Volatile.Read(ref _lastTimeMicros) < oldest && RetentionLimit >= end && HoldsFrames(Volatile.Read(ref _segments), end))
        {
            RollToEmpty(end);
        }

        Segment[] segments = Volatile.Read(ref _segments);
        int gone = CountExpired(segments, oldest, policy.MaxBytes);
        if (gone > 0 && HasSnapshotUpTo(segments[gone].BaseOffset))
        {
            RaiseStart(segments, gone, segments[gone].BaseOffset, DeleteReason.Retention);
        }
    }

    private int CountExpired(Segment[] segments, long oldest, long maxBytes)
    {
        long limit = Math.Min(Volatile.Read(ref _durable), RetentionLimit);
        long total = 0;
        foreach (Segment segment in segments)
        {
            ReadFacts(segment);
            total += DataBytes(segment);
        }

        // An empty last segment is as new as the roll that made it; what lies in front of it is as old as the last frame.
        bool allOld = Volatile.Read(ref _lastTimeMicros) < oldest && !HoldsFrames(segments, Volatile.Read(ref _committed));
        int gone = 0;
        while (gone + 1 < segments.Length && segments[gone + 1].BaseOffset <= limit)
        {
            long rest = total - DataBytes(segments[gone]);
            bool isOld = allOld || (segments[gone + 1].CreatedMicros is > 0 and long next && next < oldest);
            bool isTooMuch = maxBytes > 0 && rest >= maxBytes;
            if (!isOld && !isTooMuch)
            {
                break;
            }

            total = rest;
            gone++;
        }

        return gone;
    }
}
