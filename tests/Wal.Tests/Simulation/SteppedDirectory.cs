using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>A data directory without threads: the test runs each step. The same steps on the same files give the same result.</summary>
internal sealed class SteppedDirectory
{
    public const string Root = "/data";

    public SteppedDirectory(SimulatedFileSystem files, TestClock clock, Func<WalOptions, WalOptions>? configure = null)
    {
        Files = files;
        Clock = clock;
        var options = new WalOptions
        {
            FileSystem = files,
            Time = clock,
            StartThreads = false,
            SpreadSegments = false,
            SegmentBytes = 256 * 1024,
            SnapshotIntervalBytes = 32 * 1024,
            JournalBytes = 0,
            OnEvent = Events.Add,
        };
        Directory = DataDirectory.Open(Root, configure?.Invoke(options) ?? options);
    }

    public SimulatedFileSystem Files { get; }

    public TestClock Clock { get; }

    public DataDirectory Directory { get; }

    public List<WalEvent> Events { get; } = [];

    public DurableLog Open(ulong topicId, DurabilityClass durability = DurabilityClass.Fsync, LogRetention retention = default) =>
        (DurableLog)Directory.Open(topicId, durability, retention);

    public DurableLog Create(ulong topicId, DurabilityClass durability = DurabilityClass.Fsync, LogRetention retention = default) =>
        (DurableLog)Directory.Create(topicId, durability, retention);

    /// <summary>Appends a frame, allocating when needed; no commit runs.</summary>
    public AppendStatus Append(DurableLog log, byte[] frame)
    {
        AppendStatus status = LogDriver.TryAppend(log, frame, Clock.NowMicros);
        for (int i = 0; status == AppendStatus.NotReady && i < 10; i++)
        {
            RunBackground();
            status = LogDriver.TryAppend(log, frame, Clock.NowMicros);
        }

        return status;
    }

    /// <summary>Appends frames of one record each, of producer 1 with sequences from 1 on; no commit runs.</summary>
    public void Fill(DurableLog log, ulong frames, int recordBytes)
    {
        for (ulong i = 1; i <= frames; i++)
        {
            Append(log, TestFrames.Build(1, i, 1, recordBytes));
        }
    }

    /// <summary>Runs allocations, openings and cold reads that wait.</summary>
    public void RunBackground()
    {
        while (Directory.Allocator.RunOne() || Directory.Readers.RunOne() || Directory.Cleaner.RunOne())
        {
        }
    }

    /// <summary>Runs all commits that wait.</summary>
    public void RunCommits()
    {
        while (Directory.Committer.RunOne())
        {
        }
    }

    public void Tick(TimeSpan pass)
    {
        Clock.Advance(pass);
        Directory.Tick(Directory.NowMs);
    }
}
