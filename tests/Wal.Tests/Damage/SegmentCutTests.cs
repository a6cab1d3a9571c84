namespace Danube.Fast.Wal.Tests;

/// <summary>The last two segments cut at every byte offset: shortened, or nothing but zeros behind the cut.</summary>
public sealed class SegmentCutTests
{
    [Theory]
    [InlineData(StopKind.Clean)]
    [InlineData(StopKind.Recorded)]
    [InlineData(StopKind.Unrecorded)]
    public void A_cut_segment_keeps_its_prefix_or_is_reported(StopKind stop)
    {
        DamageWorld world = DamageWorld.Build(stop);
        var counts = new DamageCounts($"segments cut, stop {stop}");
        var check = new DamageCheck(world, counts);
        foreach (int segment in new[] { world.Log.Segments.Count - 1, world.Log.Segments.Count - 2 })
        {
            WrittenSegment file = world.Log.Segments[segment];
            IEnumerable<int> edges = world.Log.Frames.Where(f => f.Segment == segment).Select(f => f.EndPosition).Concat([0, SegmentHeader.Size, file.Length]);
            foreach (int cut in Sample.Of(file.Length + 1, 60, edges.Where((_, i) => i % 4 == 0), i => i <= file.DataEnd + 256))
            {
                Cut(world, check, segment, cut, zeros: false);
                Cut(world, check, segment, cut, zeros: true);
            }
        }

        Assert.True(counts.Prefix > 0 || stop == StopKind.Clean);
        Assert.True(counts.Damaged > 0);
        counts.Report();
    }

    private static void Cut(DamageWorld world, DamageCheck check, int segment, int cut, bool zeros)
    {
        SimulatedFileSystem image = world.Image.CopyAsSynced();
        SimulatedFile file = image.FileAt(world.PathOf(segment));
        if (zeros)
        {
            file.Damage(bytes => bytes.AsSpan(cut).Clear());
        }
        else
        {
            file.CutTo(cut);
        }

        Case.Named($"segment {segment} cut at {cut}{(zeros ? ", zeros behind" : "")}", () => check.Run(image, world.WhatIsLeft(image, segment)));
    }
}
