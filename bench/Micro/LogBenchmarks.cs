using BenchmarkDotNet.Attributes;
using Danube.Fast.Core;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;
using Danube.Fast.Wal;

namespace Danube.Fast.MicroBench;

/// <summary>The durable log alone, in a temporary folder that retention keeps small: an append (class <c>os</c>: the page cache has it), and a commit that is waited for.</summary>
[MemoryDiagnoser]
public class LogBenchmarks : ILogObserver
{
    private const int SegmentBytes = 16 * 1024 * 1024;
    private const ulong OsTopic = 1, FsyncTopic = 2;

    private readonly byte[] _small = Frame(1);
    private readonly byte[] _large = Frame(60);
    private readonly SemaphoreSlim _durable = new(0);
    private string _folder = "";
    private DataDirectory? _directory;
    private TopicLog? _os;
    private TopicLog? _fsync;
    private long _awaited = long.MaxValue;

    [GlobalSetup]
    public void Setup()
    {
        _folder = Directory.CreateTempSubdirectory("danube-microbench-").FullName;
        var options = new WalOptions { FirstSegmentBytes = SegmentBytes, SegmentBytes = SegmentBytes, LowSpaceBytes = 0 };
        _directory = DataDirectory.Open(_folder, options);
        var retention = new LogRetention { MaxBytes = 4 * SegmentBytes };
        _os = _directory.Create(OsTopic, DurabilityClass.Os, retention);
        _fsync = _directory.Create(FsyncTopic, DurabilityClass.Fsync, retention);
        _fsync.Observer = this;
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _os?.Dispose();
        _fsync?.Dispose();
        _directory?.Dispose();
        Directory.Delete(_folder, true);
    }

    /// <summary>One frame with one record of 1 KiB.</summary>
    [Benchmark]
    public long AppendSmall() => Append(_os!, _small);

    /// <summary>One frame with 60 records of 1 KiB.</summary>
    [Benchmark]
    public long AppendBatch() => Append(_os!, _large);

    /// <summary>One frame with one record of 1 KiB, from the append until the disk has it.</summary>
    [Benchmark]
    public long AppendAndCommit()
    {
        TopicLog log = _fsync!;
        long end = Append(log, _small);
        Volatile.Write(ref _awaited, end);
        log.RequestCommit();

        // Durable already and not told: the observer had looked before the wish was there. Told or about to be: its release is taken.
        if (log.Durable < end || Interlocked.CompareExchange(ref _awaited, long.MaxValue, end) != end)
        {
            _durable.Wait();
        }

        return end;
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

    private static byte[] Frame(int records)
    {
        byte[] payload = new byte[1024];
        new Random(1).NextBytes(payload);
        return PublishFrames.Build(1, 1, 1, [.. Enumerable.Repeat(payload, records)]);
    }

    private static long Append(TopicLog log, byte[] frame)
    {
        while (true)
        {
            lock (log.AppendLock)
            {
                AppendStatus status = log.Reserve(frame.Length, out _);
                if (status == AppendStatus.Ok)
                {
                    long end = log.NextOffset + new StreamHeader(frame).RecordCount, time = Math.Max(log.LastAppendTimeMicros, 1);
                    StreamHeaderWriter.Stamp(frame, log.NextOffset, time, log.TopicEpoch, log.Generation, 0);
                    status = log.Append(frame, end, time);
                    if (status == AppendStatus.Ok)
                    {
                        return end;
                    }
                }

                if (status != AppendStatus.NotReady)
                {
                    throw new IOException($"Append answered {status}.", log.Failure);
                }
            }

            log.WaitForRoomAsync().AsTask().Wait();
        }
    }
}
