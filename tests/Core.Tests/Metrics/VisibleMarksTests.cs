namespace Danube.Fast.Core.Tests;

public sealed class VisibleMarksTests
{
    [Fact]
    public void A_record_became_visible_with_the_first_mark_behind_it()
    {
        var marks = new VisibleMarks();
        Assert.False(marks.TryFind(0, out _));
        marks.Note(10, 100);
        marks.Note(20, 200);
        marks.Note(20, 250);
        marks.Note(30, 300);
        Assert.Equal([100L, 100, 200, 200, 300], new long[] { 0, 9, 10, 19, 29 }.Select(o => marks.TryFind(o, out long at) ? at : -1));
        Assert.False(marks.TryFind(30, out _));
    }

    [Fact]
    public void What_became_visible_too_long_ago_is_not_known()
    {
        var marks = new VisibleMarks();
        for (int i = 1; i <= 1000; i++)
        {
            marks.Note(i * 10, i);
        }

        Assert.False(marks.TryFind(0, out _));
        Assert.False(marks.TryFind(9000, out _));
        Assert.True(marks.TryFind(9_985, out long at));
        Assert.Equal(999, at);

        long Known(long offset) => marks.TryFind(offset, out long when) ? when : -1;
        Assert.Equal(1000, Known(9_990));
    }

    [Theory]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    public void A_mark_that_is_not_counted_yet_is_not_taken_for_the_one_whose_place_it_has_taken(int noted)
    {
        var marks = new VisibleMarks();
        for (int i = 1; i <= noted; i++)
        {
            marks.Note(i, i);
        }

        // The writer is half done with the next one.
        marks.Place(noted + 1, noted + 1);
        int known = 0;
        for (int offset = 0; offset < noted; offset++)
        {
            // The moment of each record is its offset and one.
            bool found = marks.TryFind(offset, out long at);
            Assert.Equal(found ? offset + 1 : 0, found ? at : 0);
            known += found ? 1 : 0;
        }

        // Of a full ring: one place is given up, and the oldest mark only says where the next one begins.
        Assert.Equal(noted > 63 ? 62 : 63, known);
        Assert.False(marks.TryFind(noted, out _));
    }

    [Fact]
    public void What_was_read_counts_only_while_no_place_of_it_can_have_been_taken()
    {
        var marks = new VisibleMarks();
        for (int i = 1; i <= 64; i++)
        {
            marks.Note(i, i);
        }

        // The oldest record that is known: mark 2 has it, mark 1 says where it begins.
        Assert.True(marks.TryRead(2, out long at, out long lowest));
        Assert.Equal((3, 1), (at, lowest));
        marks.Place(65, 65); // Over mark 0.
        Assert.True(marks.IsWhole(lowest));
        marks.Note(65, 65);
        marks.Place(66, 66); // Over mark 1, and not counted yet.
        Assert.False(marks.IsWhole(lowest));
    }

    [Fact]
    public void A_reader_beside_the_writer_never_gets_the_moment_of_another_record()
    {
        // So far back that the writer gets there while the ring is being looked through: also the place that is given up for that.
        const int Moves = 1_000_000, Least = 56, Places = 64;
        var marks = new VisibleMarks();
        long visible = 0, wrong = 0;
        var reader = new Thread(() =>
        {
            for (int back = Least; Volatile.Read(ref visible) is var end && end < Moves; back = back == Places ? Least : back + 1)
            {
                // The moment of each record is its offset and one.
                if (end > back && marks.TryFind(end - back, out long at))
                {
                    wrong += at == end - back + 1 ? 0 : 1;
                }
            }
        });
        reader.Start();
        for (int i = 1; i <= Moves; i++)
        {
            marks.Note(i, i);
            Volatile.Write(ref visible, i);
        }

        reader.Join();
        Assert.Equal(0, wrong);
    }
}
