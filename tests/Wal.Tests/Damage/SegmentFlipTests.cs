using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>Every single bit of segment headers, of several frames with payload and padding, and of end markers flipped.</summary>
public sealed class SegmentFlipTests
{
    [Theory]
    [InlineData(StopKind.Clean)]
    [InlineData(StopKind.Recorded)]
    [InlineData(StopKind.Unrecorded)]
    public void A_flipped_bit_costs_one_frame_at_most_and_is_reported(StopKind stop)
    {
        DamageWorld world = DamageWorld.Build(stop);
        var counts = new DamageCounts($"segment bits flipped, stop {stop}");
        var check = new DamageCheck(world, counts);
        foreach ((int segment, int from, int to) in Ranges(world))
        {
            foreach (int bit in Sample.Of((to - from) * 8, 40, [0, (to - from) * 8]))
            {
                Flip(world, check, segment, (from * 8) + bit);
            }
        }

        Assert.True(counts.Damaged > 0);
        counts.Report();
    }

    // Of the last two segments: the header, frames at the front, in the middle and at the end (the last ones are not acknowledged), the end marker.
    private static IEnumerable<(int Segment, int From, int To)> Ranges(DamageWorld world)
    {
        for (int s = world.Log.Segments.Count - 2; s < world.Log.Segments.Count; s++)
        {
            yield return (s, 0, SegmentHeader.Size);
            WrittenFrame[] frames = [.. world.Log.Frames.Where(f => f.Segment == s && f.Bytes.Length < 700)];
            int[] chosen = [0, frames.Length / 2, frames.Length - 4, frames.Length - 1];
            foreach (WrittenFrame frame in chosen.Select(i => frames[i]))
            {
                yield return (s, frame.Position, frame.EndPosition);
            }

            int end = world.Log.Segments[s].DataEnd;
            yield return (s, end, Math.Min(end + ProtocolLimits.HeaderSize, world.Log.Segments[s].Length)); // The end marker, or zeros.
        }
    }

    private static void Flip(DamageWorld world, DamageCheck check, int segment, int bit)
    {
        SimulatedFileSystem image = world.Image.CopyAsSynced();
        image.FileAt(world.PathOf(segment)).Damage(bytes => bytes[bit / 8] ^= (byte)(1 << (bit % 8)));
        Case.Named($"segment {segment}, bit {bit} flipped", () => check.Run(image, world.WhatIsLeft(image, segment)));
    }
}
