namespace Danube.Fast.Client.Tests;

/// <summary>Acknowledgements that pass the lock, beside a book that is sent, settled and moved: nothing is lost, nothing of before is taken.</summary>
public sealed class AckBookStressTests
{
    private readonly AckBook _acks = new();

    [Fact]
    public async Task What_many_threads_acknowledge_while_the_epoch_rises_is_settled_to_the_last_offset_and_nothing_else()
    {
        const int Ackers = 3, Offsets = 300_000, Piece = 50, LeftOut = 997;
        uint epoch = 1;
        long next = 0;
        int running = Ackers;
        ConsumerSession session = Session(epoch);
        _acks.Begin(session, epoch, keep: false);

        Task[] ackers = [.. Enumerable.Range(0, Ackers).Select(_ => Task.Factory.StartNew(Acknowledge, TaskCreationOptions.LongRunning))];
        while (Volatile.Read(ref running) > 0)
        {
            uint raised = epoch + 1;
            _acks.Begin(Session(raised), raised, keep: true);
            Volatile.Write(ref epoch, raised);
            await Task.Yield();
        }

        await Task.WhenAll(ackers);
        _acks.Begin(Session(epoch + 1), epoch + 1, keep: true);
        Assert.Equal([], Enumerable.Range(0, Offsets).Where(o => _acks.IsSettled(o) != (o % LeftOut != 0)).Take(5));
        Assert.Equal(Offsets, _acks.SettledEnd);

        void Acknowledge()
        {
            for (long from = Take(); from < Offsets; from = Take())
            {
                for (long offset = from; offset < from + Piece; offset++)
                {
                    if (offset % LeftOut != 0)
                    {
                        _acks.Add(offset, Volatile.Read(ref epoch));
                    }
                }
            }

            Interlocked.Decrement(ref running);
        }

        long Take() => Interlocked.Add(ref next, Piece) - Piece;
    }

    [Fact]
    public async Task What_was_delivered_before_a_seek_does_not_count_behind_it()
    {
        const int Seeks = 3000, Offsets = 40;
        uint epoch = 1;
        using var barrier = new Barrier(2);
        _acks.Begin(Session(epoch), epoch, keep: false);
        Task late = Task.Factory.StartNew(AcknowledgeLate, TaskCreationOptions.LongRunning);
        var wrong = new List<(uint Epoch, long Offset)>();
        for (int i = 0; i < Seeks; i++)
        {
            uint sought = epoch + 1;
            _acks.Add(0, epoch);
            Meet(barrier);
            _acks.Begin(Session(sought), sought, keep: false);

            // The others go on where this one ends, but in the former epoch.
            for (long offset = 0; offset < Offsets; offset += 2)
            {
                _acks.Add(offset, sought);
            }

            Meet(barrier);
            _acks.Begin(Session(sought + 1), sought + 1, keep: true);
            wrong.AddRange(Enumerable.Range(0, Offsets).Where(o => _acks.IsSettled(o) != (o % 2 == 0)).Select(o => (sought, (long)o)));
            epoch = sought + 2;
            _acks.Begin(Session(epoch), epoch, keep: false);
        }

        await late;
        Assert.Equal([], wrong.Take(5));

        void AcknowledgeLate()
        {
            for (int i = 0; i < Seeks; i++)
            {
                Meet(barrier);
                uint former = epoch;
                for (long offset = 1; offset < Offsets; offset++)
                {
                    _acks.Add(offset, former);
                }

                Meet(barrier);
            }
        }
    }

    [Fact]
    public void A_message_of_many_seeks_ago_is_not_taken_for_one_of_now()
    {
        _acks.Begin(Session(1), 1, keep: false);
        for (uint epoch = 2; epoch <= 257; epoch++)
        {
            _acks.Begin(Session(epoch), epoch, keep: false);
        }

        // 257 and 1 are the same in eight bits.
        Assert.Equal(AckStep.Started, _acks.Add(7, 257));
        Assert.Equal(AckStep.None, _acks.Add(8, 1));
        _acks.Begin(Session(258), 258, keep: true);
        Assert.True(_acks.IsSettled(7));
        Assert.False(_acks.IsSettled(8));
    }

    [Fact]
    public void Offsets_at_the_end_of_what_there_can_be_are_acknowledged_too()
    {
        _acks.Begin(Session(1), 1, keep: false);
        for (long offset = long.MaxValue - 3; offset < long.MaxValue; offset++)
        {
            _acks.Add(offset, 1);
        }

        _acks.Add((1L << 55) - 2, 1);
        _acks.Add((1L << 55) - 1, 1);
        _acks.Add(1L << 55, 1);
        _acks.Begin(Session(2), 2, keep: true);
        Assert.True(_acks.IsSettled(long.MaxValue - 3));
        Assert.True(_acks.IsSettled(long.MaxValue - 1));
        Assert.True(_acks.IsSettled((1L << 55) - 2));
        Assert.True(_acks.IsSettled((1L << 55) - 1));
        Assert.True(_acks.IsSettled(1L << 55));
        Assert.False(_acks.IsSettled((1L << 55) + 1));
    }

    private static void Meet(Barrier barrier) => Assert.True(barrier.SignalAndWait(TimeSpan.FromMinutes(2)), "The other side does not come.");

    private static ConsumerSession Session(uint epoch) => new(null!, null!, channel: 1, epoch, creditRecords: 1, creditBytes: 1);
}
