using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>Uses a log as the engine does.</summary>
internal static class LogDriver
{
    /// <summary>Appends one run; <see cref="AppendStatus.Ok"/> when all frames are in. The frames are stamped in place.</summary>
    public static AppendStatus TryAppend(TopicLog log, byte[] run, long nowMicros)
    {
        int at = 0;
        lock (log.AppendLock)
        {
            while (at < run.Length)
            {
                AppendStatus status = log.Reserve(TestFrames.LengthOf(run.AsSpan(at)), out int room);
                if (status != AppendStatus.Ok)
                {
                    return status;
                }

                at += AppendPart(log, run.AsSpan(at), room, nowMicros, out status);
                if (status != AppendStatus.Ok)
                {
                    return status;
                }
            }
        }

        log.RequestCommit();
        return AppendStatus.Ok;
    }

    /// <summary>Appends one frame, waiting for room as often as it takes.</summary>
    public static async Task AppendAsync(TopicLog log, byte[] frame, long nowMicros = 0)
    {
        nowMicros = nowMicros != 0 ? nowMicros : DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;
        AppendStatus status = TryAppend(log, frame, nowMicros);
        while (status is AppendStatus.NotReady)
        {
            await log.WaitForRoomAsync();
            status = TryAppend(log, frame, nowMicros);
        }

        if (status != AppendStatus.Ok)
        {
            throw new IOException($"Append answered {status}.", log.Failure);
        }
    }

    /// <summary>Reads everything visible from an offset, cold when the log says so. Returns (offset, frame bytes) pairs.</summary>
    public static List<(long Offset, byte[] Frame)> ReadAll(TopicLog log, long from, int maxBytes = 64 * 1024, bool cold = false)
    {
        var frames = new List<(long, byte[])>();
        LogPosition position = LogPosition.At(from);
        while (true)
        {
            LogRun run = default;
            ReadStatus status = cold ? ReadStatus.Cold : log.Read(ref position, maxBytes, out run);
            if (status == ReadStatus.Cold)
            {
                status = ((DurableLog)log).ReadCold(ref position, maxBytes, out run);
            }

            if (status == ReadStatus.AtEnd)
            {
                return frames;
            }

            Assert.Equal(ReadStatus.Ok, status);
            ReadOnlySpan<byte> bytes = run.Bytes.Span;
            int at = 0;
            while (bytes.Length - at >= ProtocolLimits.HeaderSize && LengthFits(bytes[at..], out int length))
            {
                frames.Add((new StreamHeader(bytes[at..]).Offset, bytes.Slice(at, length).ToArray()));
                at += length;
            }

            Assert.True(at > 0, "A run must begin with a whole frame.");
            position.Advance(at, new StreamHeader(frames[^1].Item2).EndOffset);
            run.Owner.Release();
        }
    }

    /// <summary>Reads from the start, cold when the log says so; the offset at which it answers Damaged. Every frame that it gives out must be good.</summary>
    public static long ReadUntilDamage(DurableLog log)
    {
        log.EnsureReady();
        LogPosition position = LogPosition.At(0);
        while (true)
        {
            ReadStatus status = log.Read(ref position, 100, out LogRun run);
            status = status == ReadStatus.Cold ? log.ReadCold(ref position, 100, out run) : status;
            if (status == ReadStatus.Damaged)
            {
                return position.Offset;
            }

            Assert.Equal(ReadStatus.Ok, status);
            var header = new StreamHeader(run.Bytes.Span);
            Assert.True(FrameCheck.HasGoodContent(run.Bytes.Span[..header.FrameLength]));
            position.Advance(header.FrameLength, header.EndOffset);
            run.Owner.Release();
        }
    }

    private static bool LengthFits(ReadOnlySpan<byte> bytes, out int length)
    {
        length = new StreamHeader(bytes).FrameLength;
        return length <= bytes.Length;
    }

    private static int AppendPart(TopicLog log, Span<byte> run, int room, long nowMicros, out AppendStatus status)
    {
        int length = 0;
        long offset = log.NextOffset;
        long time = Math.Max(nowMicros, log.LastAppendTimeMicros);
        while (length < run.Length && TestFrames.LengthOf(run[length..]) <= room - length)
        {
            Span<byte> frame = run[length..];
            var header = new StreamHeader(frame);
            uint count = header.RecordCount;
            uint lag = (uint)Math.Min(uint.MaxValue, Math.Max(0, offset - log.Durable));
            length += header.FrameLength;
            StreamHeaderWriter.Stamp(frame, offset, time, log.TopicEpoch, log.Generation, lag);
            offset += count;
        }

        status = log.Append(run[..length], offset, time);
        for (int at = 0; status == AppendStatus.Ok && at < length; at += TestFrames.LengthOf(run[at..]))
        {
            var header = new StreamHeader(run[at..]);
            log.Producers.Record(header.ProducerId, header.Sequence, header.RecordCount, header.Offset, time, header.Generation);
        }

        return length;
    }
}
