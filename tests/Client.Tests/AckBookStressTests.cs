using System.Diagnostics;
using System.Runtime.CompilerServices;
using Danube.Fast.Protocol;

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

    [Fact]
    public async Task An_acknowledgement_that_passes_the_lock_while_another_opens_the_range_is_pending_at_once()
    {
        const int Rounds = 400_000, RoundsPerBook = 5000, Delays = 301;
        var longest = TimeSpan.FromSeconds(4);
        long started = Stopwatch.GetTimestamp();
        var lost = new List<int>();
        ConsumerSession session = Session(1);
        for (int first = 0; first < Rounds && Stopwatch.GetElapsedTime(started) < longest; first += RoundsPerBook)
        {
            // Other books lie otherwise on the lines of the cache, which decides how far apart the other processor sees two fields change.
            var acks = new AckBook();
            int round = 0, done = 0;
            Task opener = Task.Factory.StartNew(Open, TaskCreationOptions.LongRunning);
            for (int i = 1; i <= RoundsPerBook; i++)
            {
                acks.Begin(session, 1, keep: false);
                Volatile.Write(ref round, i);
                if (i % 2 == 0)
                {
                    // Exactly behind the opening; every other time about then, without having asked for it.
                    AwaitOpening(acks);
                }
                else
                {
                    for (int delay = i % Delays; delay > 0; delay--)
                    {
                        Volatile.Read(ref round);
                    }
                }

                acks.Add(1, 1);
                if (!acks.HasPending)
                {
                    lost.Add(first + i);
                }

                Await(ref done, i);
            }

            await opener.WaitAsync(TimeSpan.FromMinutes(2));

            void Open()
            {
                for (int i = 1; i <= RoundsPerBook; i++)
                {
                    Await(ref round, i);
                    acks.Add(0, 1);
                    Volatile.Write(ref done, i);
                }
            }
        }

        Assert.Equal([], lost.Take(5));
    }

    [Fact]
    public async Task Ranges_are_sent_and_remembered_beyond_the_largest_int()
    {
        const int Ranges = 400, Kept = 256, Turns = 10;
        using var broker = new FakeBroker();
        await using Connection connection = await Connection.OpenAsync(
            new BrokerAddress("127.0.0.1", broker.Port), ProducerTests.Fast(), new BlockPool(), clientName: null, inbox: null, CancellationToken.None);
        broker.Watch(FrameType.Ack);
        var session = new ConsumerSession(null!, connection, channel: 1, epoch: 1, creditRecords: 1, creditBytes: 1);
        _acks.Begin(session, 1, keep: false);
        SentCount(_acks) = int.MaxValue - (Ranges / 2);
        for (int i = 0; i < Ranges; i++)
        {
            _acks.Add(2 * i, 1);
            if (i % Turns == Turns - 1)
            {
                _acks.Send(session);
            }
        }

        await connection.PingAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(Ranges / Turns, broker.Seen(FrameType.Ack).Length);
        _acks.Begin(Session(2), 2, keep: true);
        Assert.Equal(
            Enumerable.Range(Ranges - Kept, Kept).Select(i => 2 * i), Enumerable.Range(0, 2 * Ranges).Where(o => _acks.IsSettled(o)));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_sentCount")]
    private static extern ref long SentCount(AckBook acks);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_open")]
    private static extern ref long OpenRange(AckBook acks);

    private static void AwaitOpening(AckBook acks)
    {
        ref long open = ref OpenRange(acks);
        var spin = default(SpinWait);
        for (int i = 0; Volatile.Read(ref open) < 0; i++)
        {
            if (i > 10_000)
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }
        }
    }

    private static void Await(ref int value, int expected)
    {
        var spin = default(SpinWait);
        while (Volatile.Read(ref value) != expected)
        {
            // A turn of the processor at most: sleeping would make the rounds few.
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    private static void Meet(Barrier barrier) => Assert.True(barrier.SignalAndWait(TimeSpan.FromMinutes(2)), "The other side does not come.");

    private static ConsumerSession Session(uint epoch) => new(null!, null!, channel: 1, epoch, creditRecords: 1, creditBytes: 1);
}
