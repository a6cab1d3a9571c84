namespace Danube.Fast.Core.Tests;

public sealed class InFlightListTests
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

    /// <summary>Offsets go out, come back and go out again in any order; the model keeps a list of single records.</summary>
    [Fact]
    public void Any_moves_equal_those_on_a_list_of_single_records()
    {
        for (int seed = 1; seed <= 30; seed++)
        {
            var random = new Random(seed);
            var held = new List<(long Offset, ulong Position)>();
            var back = new SortedSet<long>();
            var pieces = new List<InFlightRange>();
            var cursor = new Cursor(0);
            var list = new InFlightList(cursor);
            ulong position = 0;
            long next = 0;
            for (int step = 0; step < 1500; step++)
            {
                pieces.Clear();
                switch (random.Next(10))
                {
                    case < 6:
                        Send(step % 2 == 0 ? TakeBack(back, random) : (next, next += random.Next(1, 9)));
                        break;
                    case < 9:
                        List<(long First, long End)> ranges = Ranges(random, next);
                        list.Cut(ranges, pieces);
                        Check(o => ranges.Exists(r => o.Offset >= r.First && o.Offset < r.End));
                        break;
                    default:
                        ulong from = position * (ulong)random.Next(100) / 100, to = from + (ulong)random.Next(30);
                        list.CutPositions(from, to, pieces);
                        Check(o => o.Position >= from && o.Position < to);
                        break;
                }

                if (random.Next(20) == 0)
                {
                    Settle(random.Next(2) == 0);
                }

                Assert.Equal(held, Flat(Walk(list)));
                Assert.Equal(held.Count(o => !cursor.IsAcknowledged(o.Offset, o.Offset + 1)), list.Unacknowledged);
            }

            list.Clear();
            Assert.Equal((0, 0), (list.Count, list.Unacknowledged));
            Assert.Empty(Walk(list));

            void Send((long First, long End) range)
            {
                if (range.First < range.End)
                {
                    list.Push(new InFlightRange(range.First, range.End, position));
                    held.AddRange(Flat([new InFlightRange(range.First, range.End, position)]));
                    position += (ulong)(range.End - range.First);
                }
            }

            void Check(Predicate<(long Offset, ulong Position)> isCut)
            {
                Assert.Equal(held.FindAll(isCut), Flat(pieces));
                back.UnionWith(held.FindAll(isCut).Select(o => o.Offset).Where(o => !cursor.IsAcknowledged(o, o + 1)));
                held.RemoveAll(isCut);
            }

            // The oldest ones are acknowledged, or some in the middle.
            void Settle(bool oldest)
            {
                InFlightRange[] settled = [.. Walk(list).Skip(oldest ? 0 : random.Next(20)).Take(random.Next(5))];
                foreach (InFlightRange range in settled)
                {
                    Assert.Equal(cursor.CountUnacknowledged(range.First, range.End), list.Settle(range.First, range.End));
                    cursor.Acknowledge(range.First, range.End);
                }

                // A part of one, and what lies around it.
                long first = random.NextInt64(next + 1), end = Math.Min(next, first + random.Next(4));
                list.Settle(first, end);
                cursor.Acknowledge(first, end);
                back.RemoveWhere(o => o >= first && o < end);
                list.TrimAcknowledged();
                list.Compact();
                held.RemoveAll(o => !Walk(list).Exists(r => o.Offset >= r.First && o.Offset < r.End));
                held.RemoveAll(o => settled.Any(r => o.Offset >= r.First && o.Offset < r.End));
            }
        }
    }

    [Fact]
    public void The_index_equals_a_sorted_dictionary()
    {
        var random = new Random(7);
        var index = new OffsetIndex();
        var model = new SortedList<long, int>();
        var found = new List<int>();
        for (int step = 0; step < 20_000; step++)
        {
            long offset = random.Next(3) == 0 ? random.Next(5000) : step + 5000;
            if (model.Count > 0 && random.Next(5) < 2)
            {
                offset = model.Keys[random.Next(model.Count)];
                index.Remove(offset);
                model.Remove(offset);
            }
            else if (model.TryAdd(offset, step))
            {
                index.Add(offset, step);
            }

            if (step % 10 == 0)
            {
                long from = random.Next(step + 6000), to = from + random.Next(1, 500);
                found.Clear();
                index.Find(from, to, found);
                long first = model.Keys.LastOrDefault(k => k <= from, from);
                Assert.Equal(model.Where(e => e.Key >= first && e.Key < to).Select(e => e.Value), found);
            }
        }
    }

    private static (long First, long End) TakeBack(SortedSet<long> back, Random random)
    {
        if (back.Count == 0)
        {
            return default;
        }

        long first = back.ElementAt(random.Next(back.Count)), end = first;
        while (end - first < 8 && back.Remove(end))
        {
            end++;
        }

        return (first, end);
    }

    private static List<(long First, long End)> Ranges(Random random, long below)
    {
        var ranges = new List<(long First, long End)>();
        for (long at = random.Next((int)below + 1); at < below && ranges.Count < 6; at += random.Next(1, 20))
        {
            long end = at + random.Next(1, 12);
            ranges.Add((at, end));
            at = end;
        }

        return ranges;
    }

    private static List<InFlightRange> Walk(InFlightList list)
    {
        var ranges = new List<InFlightRange>();
        foreach (InFlightRange range in list)
        {
            ranges.Add(range);
        }

        return ranges;
    }

    private static IEnumerable<(long Offset, ulong Position)> Flat(IEnumerable<InFlightRange> ranges) =>
        ranges.SelectMany(r => Rig.Range(r.First, r.End).Select(o => (o, r.SelectedAt + (ulong)(o - r.First))));
}
