using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Rights that are taken away while the broker runs: an error as any other of the disk, which must not end a thread of the log.</summary>
public sealed class LostRightsTests
{
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Fact]
    public void A_marker_that_cannot_be_written_for_that_goes_into_the_checkpoint()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, 1, 1, 100)));
        _files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && path.Contains("/topics/", StringComparison.Ordinal))
            {
                throw new IOException("injected");
            }

            if (call == FileCall.Sync && path.Contains(DataDirectory.CursorLogName, StringComparison.Ordinal))
            {
                throw new UnauthorizedAccessException("injected");
            }
        };
        directory.RunCommits();
        Assert.Equal([1UL], directory.Directory.Health.PoisonedTopics);
        Assert.Contains(directory.Events, e => e.Kind == WalEventKind.Poisoned && e.Message.Contains("a marker is on the disk", StringComparison.Ordinal));
        _files.Before = null;
        var next = new SteppedDirectory(_files.Crash(new Random(1), 0), _clock);
        Assert.NotNull(next.Directory.Store.GetPoison(1));
    }

    [Theory]
    [InlineData(SegmentNames.Snapshot)]
    [InlineData(DataDirectory.CursorLogName)]
    public void A_close_that_is_refused_a_file_closes_all_the_others(string refused)
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog[] logs = [directory.Create(1), directory.Create(2)];
        foreach (DurableLog log in logs)
        {
            directory.Fill(log, 40, 1000); // More than the interval of a snapshot.
        }

        directory.RunCommits();
        _files.Before = (call, path) =>
        {
            if (call is FileCall.Create or FileCall.Sync or FileCall.Write && path.Contains(refused, StringComparison.Ordinal))
            {
                throw new UnauthorizedAccessException("injected");
            }
        };
        directory.Directory.Dispose();
        _files.Before = null;
        Assert.Contains(directory.Events, e => e.Kind == WalEventKind.BackgroundError);
        Assert.All(logs, log => Assert.True(log.IsClosed));
        var next = new SteppedDirectory(_files, _clock); // Also: the lock was given back.
        Assert.Equal(40, next.Open(1).Committed);
        Assert.Equal(40, next.Open(2).Committed);
    }
}
