namespace Danube.Fast.Core.Tests;

public sealed class InFlightRingTests
{
    [Fact]
    public void Taken_records_are_found_by_position()
    {
        var range = new InFlightRange(100, 110, 40);
        Assert.Equal(100, range.TakenEnd(0));
        Assert.Equal(100, range.TakenEnd(40));
        Assert.Equal(103, range.TakenEnd(43));
        Assert.Equal(110, range.TakenEnd(50));
        Assert.Equal(110, range.TakenEnd(ulong.MaxValue));
    }

    [Fact]
    public void Cutting_equals_a_walk_over_single_offsets()
    {
        var random = new Random(1);
        for (int round = 0; round < 500; round++)
        {
            var ring = new InFlightRing();
            var expected = new List<(long Offset, ulong Position)>();
            ulong position = 0;
            long next = 0;
            for (int i = 0; i < 30; i++)
            {
                long first = next + random.Next(3), end = first + random.Next(1, 6);
                ring.Push(new InFlightRange(first, end, position));
                for (long offset = first; offset < end; offset++)
                {
                    expected.Add((offset, position++));
                }

                next = end;
            }

            var ranges = new List<(long First, long End)>();
            for (long at = random.Next(10); at < next; at += random.Next(1, 20))
            {
                long end = at + random.Next(1, 12);
                ranges.Add((at, end));
                at = end;
            }

            var pieces = new List<InFlightRange>();
            ring.Cut(ranges, pieces);
            Assert.Equal(expected.Where(e => ranges.Exists(r => e.Offset >= r.First && e.Offset < r.End)), Flat(pieces));
            Assert.Equal(expected.Where(e => !ranges.Exists(r => e.Offset >= r.First && e.Offset < r.End)), Flat(Enumerable.Range(0, ring.Count).Select(i => ring[i])));
        }
    }

    private static IEnumerable<(long Offset, ulong Position)> Flat(IEnumerable<InFlightRange> ranges) =>
        ranges.SelectMany(r => Rig.Range(r.First, r.End).Select(o => (o, r.SelectedAt + (ulong)(o - r.First))));
}
