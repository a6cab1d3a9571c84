using System.Buffers;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// Showing messages without delivering them: reads the log as a dispatcher does, changes nothing.
public sealed partial class Topic
{
    /// <summary>Most messages of one peek.</summary>
    public const int MaxPeekCount = 100;

    private const int PeekReadBytes = 256 * 1024;

    /// <summary>Visible messages from an offset on; with a subscription only those that it has not acknowledged.</summary>
    /// <param name="subscription">Null: the log as it is.</param>
    /// <param name="from">First offset; null: mark-delete of the subscription, or the log's start.</param>
    /// <param name="count">1 to <see cref="MaxPeekCount"/>.</param>
    /// <param name="maxBytes">Limit of the messages as JSON.</param>
    /// <param name="cancellation">Ends between two reads.</param>
    public async ValueTask<PeekResult> PeekAsync(Subscription? subscription, long? from, int count, int maxBytes, CancellationToken cancellation)
    {
        var shown = new Peeked(subscription, count, maxBytes);
        long at = from ?? subscription?.MarkDelete ?? 0;
        while (!shown.IsFull)
        {
            cancellation.ThrowIfCancellationRequested();
            at = shown.Next(Math.Max(at, Log.LogStart), out _);
            (ReadStatus status, LogRun run) = await PeekRead.ReadAsync(Log, at, PeekReadBytes).ConfigureAwait(false);
            switch (status)
            {
                case ReadStatus.Ok:
                    long next = shown.Take(run, at);
                    if (next == at)
                    {
                        return shown.Result();
                    }

                    at = next;
                    break;
                case ReadStatus.BelowStart:
                    break;
                case ReadStatus.Damaged when Log.EndOfDamage(at) is long end && end > at:
                    at = end;
                    break;
                case ReadStatus.AtEnd:
                    return shown.Result();
                default:
                    return new PeekResult(ErrorCode.LogFailed, $"The log of topic {Name} cannot be read: {Log.Failure?.Message ?? "the broker's log names the file and the cause (event 25)."}", []);
            }
        }

        return shown.Result();
    }

    /// <summary>What one peek has collected so far.</summary>
    private sealed class Peeked(Subscription? subscription, int count, int maxBytes)
    {
        private readonly List<MessageBody> _messages = [];
        private long _tooLarge = -1;
        private long _bytes;
        private byte[]? _scratch;

        public bool IsFull { get; private set; }

        public long Next(long from, out int redeliveries)
        {
            redeliveries = 0;
            return subscription?.NextUnacknowledged(from, out redeliveries) ?? from;
        }

        /// <summary>Takes messages of a run and releases it; returns the offset to go on at.</summary>
        public long Take(LogRun run, long at)
        {
            try
            {
                var reader = new RunReader(run.Bytes.Span);
                while (!IsFull && reader.TryRead(out StoredFrame frame))
                {
                    at = TakeFrame(frame, at);
                }

                return at;
            }
            finally
            {
                run.Owner.Release();
                if (_scratch is { } scratch)
                {
                    _scratch = null;
                    ArrayPool<byte>.Shared.Return(scratch);
                }
            }
        }

        public PeekResult Result() => _messages.Count == 0 && _tooLarge >= 0
            ? new PeekResult(ErrorCode.MessageTooLarge, $"The message at offset {_tooLarge} is larger than a reply ({maxBytes} bytes): read it with a consumer.", [])
            : new PeekResult(ErrorCode.None, "", [.. _messages]);

        private long TakeFrame(StoredFrame frame, long at)
        {
            StreamHeader header = frame.Header;
            long end = header.EndOffset;
            if (Next(Math.Max(at, header.Offset), out _) >= end)
            {
                return end;
            }

            if (header.IsChunk)
            {
                // A part of a large message, shown as what it is.
                Show(header, header.Offset, Record.OfBare(frame.Payload));
                return end;
            }

            if (!Compression.TryUnpack(frame, ProtocolLimits.MaxNegotiableFrame, ref _scratch, out ReadOnlySpan<byte> records))
            {
                // Nobody can read it: consumers nack it as a whole.
                return end;
            }

            if ((header.Flags & FrameFlags.Bare) != 0)
            {
                Show(header, header.Offset, Record.OfBare(records));
                return end;
            }

            var reader = new RecordReader(records);
            for (long offset = header.Offset; !IsFull && reader.TryRead(out Record record); offset++)
            {
                if (offset >= at)
                {
                    Show(header, offset, record);
                    at = offset + 1;
                }
            }

            return IsFull ? at : end;
        }

        private void Show(StreamHeader header, long offset, in Record record)
        {
            if (Next(offset, out int redeliveries) != offset)
            {
                return;
            }

            MessageBody body = MessageBodies.Of(header, offset, record, redeliveries);
            _bytes += JsonSerializer.SerializeToUtf8Bytes(body, ControlJson.Default.MessageBody).Length + 1;
            if (_bytes > maxBytes)
            {
                _tooLarge = offset;
                IsFull = true;
                return;
            }

            _messages.Add(body);
            IsFull = _messages.Count == count;
        }
    }
}
