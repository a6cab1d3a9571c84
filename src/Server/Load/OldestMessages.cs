using System.Runtime.CompilerServices;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Load;

/// <summary>
/// When messages at the front of subscriptions were stored. What is in memory is looked at, what is not is read beside, a few at a time, and
/// known at the next question.
/// Runs on: the load service. Shared with: the log's readers, which bring what was read.
/// </summary>
internal sealed class OldestMessages(TimeProvider time)
{
    private const int MaxColdReads = 4;

    private readonly ConditionalWeakTable<Topic, Known> _known = [];
    private int _reading;

    /// <summary>Age of the message at an offset; of the one asked for before it while that is being read, zero when nothing is known.</summary>
    public TimeSpan AgeOf(Topic topic, long offset)
    {
        Known known = _known.GetValue(topic, static _ => new Known());
        if (known.Offset != offset)
        {
            Look(topic.Log, known, offset);
        }

        long now = (time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        return known.StoredMicros == 0 ? TimeSpan.Zero : TimeSpan.FromMicroseconds(Math.Max(0, now - known.StoredMicros));
    }

    private void Look(TopicLog log, Known known, long offset)
    {
        var position = LogPosition.At(Math.Max(offset, log.LogStart));
        switch (log.Read(ref position, ProtocolLimits.HeaderSize, out LogRun run))
        {
            case ReadStatus.Ok:
                known.Take(run, offset);
                break;
            case ReadStatus.Cold when Interlocked.Increment(ref _reading) <= MaxColdReads:
                log.BeginColdRead(position, ProtocolLimits.HeaderSize, new ColdLook(this, known, offset));
                break;
            case ReadStatus.Cold:
                Interlocked.Decrement(ref _reading);
                break;
            default:
                // Damaged, deleted meanwhile or closed: what was known before stays.
                break;
        }
    }

    private sealed class Known
    {
        private long _offset = -1;
        private long _storedMicros;

        public long Offset => Volatile.Read(ref _offset);
        public long StoredMicros => Volatile.Read(ref _storedMicros);

        /// <summary>Takes the append time of a run's first frame and releases the run.</summary>
        public void Take(LogRun run, long offset)
        {
            Volatile.Write(ref _storedMicros, new StreamHeader(run.Bytes.Span).AppendTimeMicros);
            Volatile.Write(ref _offset, offset);
            run.Owner.Release();
        }
    }

    private sealed class ColdLook(OldestMessages owner, Known known, long offset) : IColdReadSink
    {
        public void OnColdRead(ReadStatus status, LogRun run, LogPosition position)
        {
            Interlocked.Decrement(ref owner._reading);
            if (status == ReadStatus.Ok)
            {
                known.Take(run, offset);
            }
        }
    }
}
