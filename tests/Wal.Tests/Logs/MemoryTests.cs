using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Segments that everybody has read leave the page cache, and no others.</summary>
public sealed class MemoryTests
{
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();
    private readonly List<string> _dropped = [];

    public MemoryTests() => _files.Before = (call, path) =>
    {
        if (call == FileCall.DropCache)
        {
            _dropped.Add(path);
        }
    };

    [Fact]
    public void Behind_the_tail_what_all_have_read_is_let_go_once_and_can_still_be_read()
    {
        var directory = new SteppedDirectory(_files, _clock, Everything);
        DurableLog log = directory.Create(1);
        directory.Fill(log, 200, 4000);
        directory.RunCommits();
        IReadOnlyList<Segment> segments = log.SegmentsForTest;
        Assert.True(segments.Count >= 4);
        directory.Tick(TimeSpan.FromSeconds(1));
        Assert.Empty(_dropped);

        // One record into the second segment: only the first lies wholly below.
        log.ReadBelow = segments[1].BaseOffset + 1;
        directory.Tick(TimeSpan.FromSeconds(1));
        Assert.Equal([segments[0].Path], _dropped);

        // The last two are mapped, for whoever follows the tail.
        log.ReadBelow = log.Durable;
        directory.Tick(TimeSpan.FromSeconds(1));
        Assert.Equal(segments.Take(segments.Count - 2).Select(s => s.Path), _dropped.Order(StringComparer.Ordinal));
        directory.Tick(TimeSpan.FromSeconds(1));
        Assert.Equal(segments.Count - 2, _dropped.Count);
        Assert.Equal(200, LogDriver.ReadAll(log, 0).Count);
    }

    [Fact]
    public void What_is_not_on_the_disk_stays_until_it_is()
    {
        var directory = new SteppedDirectory(_files, _clock, Everything);
        DurableLog log = directory.Create(1, DurabilityClass.Fsync);
        directory.Fill(log, 200, 4000);
        log.ReadBelow = log.Committed;
        directory.Tick(TimeSpan.FromSeconds(1));
        Assert.Empty(_dropped);
        directory.RunCommits();
        directory.Tick(TimeSpan.FromSeconds(1));
        Assert.NotEmpty(_dropped);
    }

    [Fact]
    public void Small_segments_stay()
    {
        var directory = new SteppedDirectory(_files, _clock, o => o with { LetGoBytes = 200_000 });
        DurableLog log = directory.Create(1);
        directory.Fill(log, 200, 4000);
        directory.RunCommits();
        log.ReadBelow = log.Durable;
        directory.Tick(TimeSpan.FromSeconds(1));
        IReadOnlyList<Segment> segments = log.SegmentsForTest;
        string[] large = [.. segments.Take(segments.Count - 2).Where(s => s.CommittedPosition >= 200_000).Select(s => s.Path)];
        Assert.InRange(large.Length, 1, segments.Count - 3);
        Assert.Equal(large, _dropped.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Segments_of_an_earlier_process_are_left_to_the_system()
    {
        var directory = new SteppedDirectory(_files, _clock, Everything);
        directory.Fill(directory.Create(1), 200, 4000);
        directory.RunCommits();
        SimulatedFileSystem image = _files.Kill();
        image.Before = _files.Before;
        var next = new SteppedDirectory(image, _clock, Everything);
        DurableLog log = next.Open(1);
        _dropped.Clear();
        log.ReadBelow = log.Durable;
        next.Tick(TimeSpan.FromSeconds(1));
        Assert.Empty(_dropped);
    }

    private static WalOptions Everything(WalOptions options) => options with { LetGoBytes = 0 };
}
