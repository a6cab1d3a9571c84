using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>A segment file of another topic among those of a log, put there by mistake: its frames have offsets that fit, and must never be given out.</summary>
public sealed class ForeignSegmentTests
{
    private const int Payload = 5000;
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Fact]
    public void Frames_of_another_topic_are_not_taken_for_those_of_the_log_by_a_scan()
    {
        SteppedDirectory directory = TwoLogs(out _, out _);
        Copy(_files, Of(2, 0), Of(1, 0));
        directory.RunBackground();
        var next = new SteppedDirectory(_files.Kill(), _clock);
        DurableLog again = next.Open(1);
        Assert.Equal(8, again.Committed);
        Assert.Equal([(0L, 8L)], again.Damages);
        Assert.Contains(next.Events, e => e.Kind == WalEventKind.ForeignSegment && e.TopicId == 1 && e.Message.Contains("topic 2", StringComparison.Ordinal));
        Assert.Equal(8, LogDriver.ReadAll(next.Open(2), 0).Count);

        Assert.Equal(AppendStatus.Ok, next.Append(again, TestFrames.Build(1, 9, 1, Payload)));
        next.RunCommits();
        Assert.Single(LogDriver.ReadAll(again, 8));
    }

    [Fact]
    public void Frames_of_another_topic_are_not_given_out_by_a_reader_of_what_no_scan_looked_at()
    {
        SteppedDirectory directory = TwoLogs(out DurableLog log, out _, frames: 60);
        long to = log.SegmentsForTest[1].BaseOffset;
        directory.Directory.Dispose();
        Copy(_files, Of(2, 0), Of(1, 0));
        var next = new SteppedDirectory(_files.Kill(), _clock);
        DurableLog again = next.Open(1);
        Assert.True(next.Directory.WasClosedCleanly);
        Assert.Equal(0, LogDriver.ReadUntilDamage(again));
        Assert.Equal([(0L, to)], again.Damages);
        Assert.Contains(next.Events, e => e.Kind == WalEventKind.ForeignSegment);
        Assert.Equal(60 - to, LogDriver.ReadAll(again, to).Count);
    }

    private static string Of(ulong topicId, long baseOffset) => $"/data/topics/{topicId}/{SegmentNames.Of(baseOffset)}";

    private SteppedDirectory TwoLogs(out DurableLog first, out DurableLog second, ulong frames = 8)
    {
        var directory = new SteppedDirectory(_files, _clock);
        first = directory.Create(1);
        second = directory.Create(2);
        directory.Fill(first, frames, Payload);
        directory.Fill(second, frames, Payload);
        directory.RunCommits();
        directory.Tick(TimeSpan.FromSeconds(1));
        directory.RunCommits();
        return directory;
    }

    private static void Copy(SimulatedFileSystem files, string from, string to)
    {
        using WalFile source = files.Open(from), target = files.Open(to);
        var bytes = new byte[source.Length];
        source.Read(bytes, 0);
        target.Write(bytes, 0);
    }
}
