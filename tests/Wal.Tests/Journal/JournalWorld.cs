namespace Danube.Fast.Wal.Tests;

/// <summary>A stepped directory with a small journal, and the ways in which its process may end.</summary>
internal sealed class JournalWorld
{
    public const int Bytes = 64 * 1024;

    public JournalWorld(SimulatedFileSystem? files = null, TestClock? clock = null, int journalBytes = Bytes)
    {
        Files = files ?? new SimulatedFileSystem();
        Clock = clock ?? new TestClock();
        Stepped = new SteppedDirectory(Files, Clock, o => o with { JournalBytes = journalBytes });
    }

    public SimulatedFileSystem Files { get; }

    public TestClock Clock { get; }

    public SteppedDirectory Stepped { get; }

    public WalCounters Counters => Stepped.Directory.Counters;

    /// <summary>Syncs of files under a topic so far.</summary>
    public int TopicSyncs { get; private set; }

    public void CountTopicSyncs() => Files.Before = (call, path) => TopicSyncs += call == FileCall.Sync && path.Contains("/topics/", StringComparison.Ordinal) ? 1 : 0;

    public void Append(DurableLog log, ulong sequence, int bytes = 50) =>
        Assert.Equal(Danube.Fast.Core.AppendStatus.Ok, Stepped.Append(log, TestFrames.Build(log.TopicId + 10, sequence, 1, bytes)));

    /// <summary>The power goes: nothing that was not synced is left. The next process opens the directory.</summary>
    public JournalWorld PowerCut() => new(Files.Crash(new Random(1), 0), Clock);

    /// <summary>The process is killed: the page cache stays.</summary>
    public JournalWorld Kill() => new(Files.Kill(), Clock);

    /// <summary>Commits everything and lets the checkpoint interval pass.</summary>
    public void Checkpoint()
    {
        Stepped.RunCommits();
        Stepped.Tick(TimeSpan.FromSeconds(6));
        Stepped.RunCommits();
    }
}
