using System.Diagnostics;
using Danube.Fast.Bench.Limits;
using Danube.Fast.Core;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;
using Danube.Fast.Wal;
using Microsoft.Win32.SafeHandles;

namespace Danube.Fast.Bench.Runs;

/// <summary>One configuration of the log, measured without a broker around it.</summary>
/// <param name="Mode">How bytes get into the segment.</param>
/// <param name="IsResident">The pages of the file are in the page cache before they are written, as those of a reused file would be.</param>
/// <param name="CommitBytes">Bytes between two commits that are waited for; 0 = class <c>os</c>, nobody waits.</param>
public sealed record AppendCase(AppendMode Mode, bool IsResident, int CommitBytes);

/// <summary>What one run of a case gave.</summary>
/// <param name="BytesPerSecond">Frames appended (and durable).</param>
/// <param name="Commit">Time from the first append of a commit until it was durable; class <c>os</c>: of each append. ns.</param>
/// <param name="WriteFactor">Bytes that the process made dirty per appended byte, as the kernel counts them.</param>
public sealed record AppendFigures(double BytesPerSecond, LatencyHistogram Commit, double WriteFactor);

/// <summary>
/// Appends to a log of the broker (<c>src/Wal</c>) from one thread: frames of 64 KiB with 1 KiB records (smaller ones for smaller commits), one commit outstanding.
/// </summary>
public sealed class LogAppend : ILogObserver
{
    private const int SegmentBytes = 256 * 1024 * 1024, LargestFrame = 64 * 1024, RecordBytes = 1024;
    private const ulong TopicId = 1;

    private readonly SemaphoreSlim _durable = new(0);
    private long _awaited = long.MaxValue;

    private LogAppend()
    {
    }

    /// <summary>Runs a case in a folder of its own below <paramref name="folder"/>; at most one segment is filled.</summary>
    public static AppendFigures Measure(string folder, AppendCase append, TimeSpan duration, CancellationToken cancellation)
    {
        string path = Path.Combine(folder, "append-" + Guid.NewGuid().ToString("N")[..8]);
        try
        {
            var options = new WalOptions { AppendMode = append.Mode, FirstSegmentBytes = SegmentBytes, SegmentBytes = SegmentBytes, LowSpaceBytes = 0 };
            using DataDirectory directory = DataDirectory.Open(path, options);
            DurabilityClass durability = append.CommitBytes == 0 ? DurabilityClass.Os : DurabilityClass.Fsync;
            using TopicLog log = directory.Create(TopicId, durability, default);
            return new LogAppend().Run(path, log, append, duration, cancellation);
        }
        finally
        {
            Directory.Delete(path, true);
        }
    }

    void ILogObserver.OnDurable(TopicLog log)
    {
        long awaited = Volatile.Read(ref _awaited);
        if (log.Durable >= awaited && Interlocked.CompareExchange(ref _awaited, long.MaxValue, awaited) == awaited)
        {
            _durable.Release();
        }
    }

    void ILogObserver.OnLogStart(TopicLog log)
    {
    }

    void ILogObserver.OnFailed(TopicLog log, Exception cause) => _durable.Release();

    private AppendFigures Run(string path, TopicLog log, AppendCase append, TimeSpan duration, CancellationToken cancellation)
    {
        log.Observer = this;
        int commit = append.CommitBytes == 0 ? LargestFrame : append.CommitBytes;
        byte[] frame = BuildFrame(Math.Min(commit, LargestFrame));
        AppendFrame(log, frame);
        if (append.IsResident)
        {
            ReadThrough(path);
        }

        var latency = new LatencyHistogram();
        long bytes = 0, written = ProcessIo.WrittenBytes(), start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < duration && bytes + commit < SegmentBytes - (2 * LargestFrame) - (4 * commit))
        {
            cancellation.ThrowIfCancellationRequested();
            long before = Stopwatch.GetTimestamp();
            for (int done = 0; done < commit; done += frame.Length, bytes += frame.Length)
            {
                AppendFrame(log, frame);
            }

            if (append.CommitBytes > 0)
            {
                Await(log);
            }

            latency.Record((long)Stopwatch.GetElapsedTime(before).TotalNanoseconds);
        }

        TimeSpan spent = Stopwatch.GetElapsedTime(start);
        return new AppendFigures(bytes / spent.TotalSeconds, latency, (ProcessIo.WrittenBytes() - written) / (double)Math.Max(1, bytes));
    }

    private void Await(TopicLog log)
    {
        long end = log.Committed;
        Volatile.Write(ref _awaited, end);
        log.RequestCommit();

        // Durable already and not told: the observer had looked before the wish was there. Told or about to be: its release is taken.
        if (log.Durable < end || Interlocked.CompareExchange(ref _awaited, long.MaxValue, end) != end)
        {
            _durable.Wait();
        }

        if (log.Failure is { } cause)
        {
            throw new IOException("The log failed: " + cause.Message, cause);
        }
    }

    private static void AppendFrame(TopicLog log, byte[] frame)
    {
        while (true)
        {
            lock (log.AppendLock)
            {
                AppendStatus status = log.Reserve(frame.Length, out _);
                if (status == AppendStatus.Ok)
                {
                    long offset = log.NextOffset, time = Math.Max(log.LastAppendTimeMicros, 1);
                    uint count = new StreamHeader(frame).RecordCount;
                    StreamHeaderWriter.Stamp(frame, offset, time, log.TopicEpoch, log.Generation, 0);
                    status = log.Append(frame, offset + count, time);
                }

                if (status == AppendStatus.Ok)
                {
                    return;
                }

                if (status != AppendStatus.NotReady)
                {
                    throw new IOException($"Append answered {status}.", log.Failure);
                }
            }

            log.WaitForRoomAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    // Exactly so many bytes with header and padding.
    private static byte[] BuildFrame(int length)
    {
        int room = length - ProtocolLimits.HeaderSize;
        var payloads = new List<byte[]>();
        var random = new Random(1);
        while (room > 0)
        {
            int record = Math.Min(room, RecordBytes);
            int payload = record;
            while (payload > 0 && RecordWriter.Measure(false, 0, 0, false, payload) > record)
            {
                payload--;
            }

            byte[] bytes = new byte[payload];
            random.NextBytes(bytes);
            payloads.Add(bytes);
            room -= RecordWriter.Measure(false, 0, 0, false, payload);
        }

        return PublishFrames.Build(1, 1, 1, [.. payloads]);
    }

    // Reading what was never written puts zeroed pages into the page cache.
    private static void ReadThrough(string folder)
    {
        byte[] buffer = new byte[1024 * 1024];
        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(p => new FileInfo(p).Length == SegmentBytes))
        {
            using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            for (long at = 0; at < SegmentBytes; at += buffer.Length)
            {
                _ = RandomAccess.Read(file, buffer, at);
            }
        }
    }
}
