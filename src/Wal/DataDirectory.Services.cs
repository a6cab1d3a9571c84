using System.Collections.Concurrent;
using Danube.Fast.Core;

namespace Danube.Fast.Wal;

// What logs use of their directory.
public sealed partial class DataDirectory
{
    private readonly ConcurrentQueue<SegmentMap> _reaped = new();
    private readonly long _startTimestamp;
    private readonly Lock _blockedLock = new();
    private readonly Dictionary<ulong, AppendStatus> _blocked = [];
    private DurableLog? _osLogs;
    private long _fileNumber;
    private int _maps;
    private int _blockedLogs;
    private bool _isDiskLow;
    private bool _isSuspect;

    internal Checkpoint Checkpoint { get; }

    internal StateStore Store { get; }

    internal Committer Committer { get; }

    internal WriteBehind WriteBehind { get; }

    /// <summary>Allocates segments.</summary>
    internal BackgroundQueue Allocator { get; }

    /// <summary>Reads what is not mapped; opens logs.</summary>
    internal BackgroundQueue Readers { get; }

    /// <summary>Removes deleted topics; raises log starts.</summary>
    internal BackgroundQueue Cleaner { get; }

    internal ColdBufferPool ColdBuffers { get; } = new();

    /// <summary>Memory of reads from the disk: bytes kept for the next read, and bytes got so far because none were kept.</summary>
    public (long Kept, long Made) ColdReadMemory => (ColdBuffers.KeptBytes, ColdBuffers.MadeBytes);

    internal ColdReadPacer ColdPacer { get; }

    /// <summary>Free space is below the low-water mark.</summary>
    internal bool IsDiskLow => Volatile.Read(ref _isDiskLow);

    /// <summary>Monotonic milliseconds.</summary>
    internal long NowMs => (long)Options.Time.GetElapsedTime(_startTimestamp).TotalMilliseconds;

    /// <summary>Unix microseconds.</summary>
    internal long NowMicros => (Options.Time.GetUtcNow().Ticks - DateTime.UnixEpoch.Ticks) / (TimeSpan.TicksPerMillisecond / 1000);

    internal long NextFileNumber() => Interlocked.Increment(ref _fileNumber);

    internal void Remove(DurableLog log)
    {
        _logs.TryRemove(new KeyValuePair<ulong, DurableLog>(log.TopicId, log));
        OnUnblocked(log.TopicId);
    }

    /// <summary>Maps a file; null when there are too many maps, or the file is just being closed: the reader then goes the cold way.</summary>
    internal SegmentMap? TryMap(WalFile file, bool writable)
    {
        SegmentMap? map = null;
        int maps = Interlocked.Increment(ref _maps);
        try
        {
            map = maps <= Options.MaxMaps ? new SegmentMap(file.Map(writable), Reap) : null;
        }
        catch (IOException error)
        {
            Report(WalEventKind.BackgroundError, 0, $"{file.Path} could not be mapped: {error.Message}", error);
        }
        catch (ObjectDisposedException)
        {
            // By the janitor, who may close it at any moment.
        }
        finally
        {
            if (map is null)
            {
                Interlocked.Decrement(ref _maps);
            }
        }

        return map;
    }

    /// <summary>Puts an <c>os</c> log on the list that the janitor syncs.</summary>
    internal void QueueOsSync(DurableLog log)
    {
        DurableLog? head = Volatile.Read(ref _osLogs);
        while (true)
        {
            log.NextOs = head;
            DurableLog? seen = Interlocked.CompareExchange(ref _osLogs, log, head);
            if (seen == head)
            {
                return;
            }

            head = seen;
        }
    }

    /// <summary>A log could not start a segment, for a reason that passes. Told once for all logs that are blocked by it.</summary>
    internal void OnBlocked(ulong topicId, AppendStatus blockage, Exception cause)
    {
        lock (_blockedLock)
        {
            bool known = _blocked.ContainsValue(blockage);
            _blocked[topicId] = blockage;
            Volatile.Write(ref _blockedLogs, _blocked.Count);
            if (known)
            {
                return;
            }
        }

        bool full = blockage == AppendStatus.DiskFull;
        Report(full ? WalEventKind.DiskFull : WalEventKind.OutOfHandles, topicId, full
            ? "There is no space for a new segment; publishes are refused and resume by themselves when there is."
            : "Too many files are open to start a new segment; publishes are refused and resume by themselves. Raise the limit (ulimit -n).", cause);
    }

    internal void OnUnblocked(ulong topicId)
    {
        if (Volatile.Read(ref _blockedLogs) == 0)
        {
            return;
        }

        lock (_blockedLock)
        {
            bool last = _blocked.Remove(topicId) && _blocked.Count == 0;
            Volatile.Write(ref _blockedLogs, _blocked.Count);
            if (!last)
            {
                return;
            }
        }

        Report(WalEventKind.DiskRecovered, topicId, "Segments can be started again.");
    }

    private bool HasBlocked(AppendStatus blockage)
    {
        lock (_blockedLock)
        {
            return _blocked.ContainsValue(blockage);
        }
    }

    /// <summary>
    /// Notes a poisoned log durably, outside of the log: in the cursor log, and if that cannot be written, in the checkpoint. False when both
    /// failed.
    /// </summary>
    internal bool MarkPoisoned(ulong topicId, long durableEnd)
    {
        try
        {
            PutMarker(topicId, durableEnd);
            Store.Records.Sync();
            return true;
        }
        catch (Exception error) when (IsTransient(error))
        {
            Volatile.Write(ref _isSuspect, true);
        }

        try
        {
            Checkpoint.SetFlags(CheckpointFlags.Suspect);
            return true;
        }
        catch (Exception error) when (IsTransient(error))
        {
            return false;
        }
    }

    internal void Report(WalEventKind kind, ulong topicId, string message, Exception? cause = null) =>
        Options.OnEvent?.Invoke(new WalEvent(kind, topicId, message, cause));

    private void Reap(SegmentMap map)
    {
        _reaped.Enqueue(map);
        if (Volatile.Read(ref _disposed) != 0)
        {
            ReapMaps();
        }
    }

    private void ReapMaps()
    {
        while (_reaped.TryDequeue(out SegmentMap? map))
        {
            map.Map.Dispose();
            Interlocked.Decrement(ref _maps);
        }
    }
}
