using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Nothing else allocates in the process while these run.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public sealed class AllocationCollection;

/// <summary>Promise 6: publish, append, dispatch, credit and ack allocate nothing per message in steady state.</summary>
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
    private const int Records = 200_000;
    private const int RecordsPerRound = 20;

    // Not exactly zero: each pool thread that joins brings its scratch buffers, and on a busy machine the test runner's own
    // doings add up. The smallest object per deliver would make 240 KB, per frame 4.8 MB, in each of the tries.
    private const long AllowedBytes = 128 * 1024;
    private const int Tries = 3;

    [Theory]
    [InlineData(SubscriptionType.Exclusive, 1, false)]
    [InlineData(SubscriptionType.Shared, 3, false)]
    [InlineData(SubscriptionType.Failover, 2, false)]
    [InlineData(SubscriptionType.KeyShared, 3, true)]
    [InlineData(SubscriptionType.KeyShared, 3, false)]
    public async Task Nothing_is_allocated_per_message(SubscriptionType type, int consumers, bool oneKey)
    {
        var log = new MemoryTopicLog(1, DurabilityClass.Os, 1, new LogRetention(0, 16 << 20));
        var topic = new Topic("/t/alloc", log, new MemoryCursorStore(), new TopicOptions(), TimeProvider.System);
        Subscription subscription = await topic.OpenSubscriptionAsync(new SubscriptionSpec("s", type, StartPosition.Earliest), CancellationToken.None);
        var producerSink = new CountingSink();
        Producer producer = topic.AttachProducer(1, 0, 1, producerSink);
        Client[] clients = [.. Enumerable.Range(0, consumers).Select(c => new Client(subscription, $"c{c}"))];

        // One record per frame: whatever is allocated per frame would show most.
        byte[][] frames = [.. Enumerable.Range(0, RecordsPerRound).Select(i => oneKey ? KeyedFrames.OneKey(1, 1, $"key {i % 7}", 1) : Frames.Build(1, 1, 1, 100))];
        byte[] run = new byte[frames.Sum(f => f.Length)];
        ulong sequence = Drive(topic, producer, clients, frames, run, 1, Records / 2);
        long allocated = long.MaxValue;
        for (int i = 0; i < Tries && allocated >= AllowedBytes; i++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            sequence = Drive(topic, producer, clients, frames, run, sequence, Records);
            allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        Assert.Equal(0, subscription.Backlog);
        Assert.True(SpinWait.SpinUntil(() => producerSink.Acknowledged == (long)sequence - 1, TimeSpan.FromSeconds(120)), $"{producerSink.Acknowledged} of {sequence - 1} are acknowledged");
        Assert.True(allocated < AllowedBytes, $"{allocated} bytes for {Records} messages");
    }

    /// <summary>Frames that are not sampled cost nothing while spans of others are taken.</summary>
    [Fact]
    public async Task Nothing_is_allocated_for_unsampled_frames_while_somebody_listens()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == BrokerTracing.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        await Nothing_is_allocated_per_message(SubscriptionType.Exclusive, 1, oneKey: false);
    }

    private static ulong Drive(Topic topic, Producer producer, Client[] clients, byte[][] frames, byte[] run, ulong sequence, int records)
    {
        for (int sent = 0; sent < records; sent += RecordsPerRound)
        {
            int at = 0;
            foreach (byte[] frame in frames)
            {
                StreamHeaderWriter.SetUInt64(frame, 56, sequence++);
                frame.CopyTo(run.AsSpan(at));
                at += frame.Length;
            }

            if (topic.Publish(producer, run).BytesConsumed != run.Length)
            {
                throw new InvalidOperationException("refused");
            }

            var spin = new SpinWait();
            for (long settled = 0; settled != (long)sequence - 1; spin.SpinOnce(sleep1Threshold: -1))
            {
                settled = 0;
                foreach (Client client in clients)
                {
                    client.Settle();
                    settled += client.Settled;
                }
            }
        }

        return sequence;
    }

    /// <summary>A consumer without a single object per deliver: it remembers runs of offsets and acknowledges them, the latest first.</summary>
    private sealed class Client : IFrameSink
    {
        private readonly Lock _lock = new();
        private readonly (long First, uint Count)[] _inbox = new (long, uint)[4096];
        private readonly byte[] _ack = new byte[AckFrame.Measure(1)];
        private readonly byte[] _credit = new byte[ProtocolLimits.HeaderSize];
        private readonly Consumer _consumer;
        private int _waiting;

        public Client(Subscription subscription, string name)
        {
            _consumer = Rig.Attach(subscription, this, name);
            Credit();
        }

        public long Settled { get; private set; }

        public bool Send(ReadOnlySpan<byte> frames) => true;

        public bool Send(ReadOnlySpan<byte> prefix, LogRun run)
        {
            var deliver = new DeliverFrame(prefix);
            lock (_lock)
            {
                _inbox[_waiting++] = (deliver.FirstOffset, deliver.Selected);
            }

            run.Owner.Release();
            return true;
        }

        public void Settle()
        {
            while (true)
            {
                (long First, uint Count) range;
                lock (_lock)
                {
                    if (_waiting == 0)
                    {
                        return;
                    }

                    range = _inbox[--_waiting];
                }

                AckFrame.BeginAck(_ack, 1, 0, 1, _consumer.Epoch);
                AckFrame.WriteRange(_ack, 0, range.First, range.Count);
                StreamHeaderWriter.SealHeader(_ack);
                if (_consumer.OnAck(new AckFrame(_ack)) != ErrorCode.None)
                {
                    throw new InvalidOperationException("refused");
                }

                Settled += range.Count;
                Credit();
            }
        }

        public void Flush()
        {
        }

        public void SendError(ErrorCode code, string message, uint channel, ulong? sequence)
        {
        }

        public void CloseChannel(uint channel, ErrorCode code, string message)
        {
        }

        private void Credit()
        {
            CreditFrame.Write(_credit, 1, (ulong)Settled + 10_000, ulong.MaxValue, _consumer.Epoch, (ulong)Settled);
            _consumer.OnCredit(new CreditFrame(_credit));
        }
    }

    private sealed class CountingSink : IFrameSink
    {
        public long Acknowledged { get; private set; }

        public bool Send(ReadOnlySpan<byte> frames)
        {
            Acknowledged += new PublishAckFrame(frames).Count;
            return true;
        }

        public bool Send(ReadOnlySpan<byte> prefix, LogRun run) => throw new InvalidOperationException("not a consumer");

        public void Flush()
        {
        }

        public void SendError(ErrorCode code, string message, uint channel, ulong? sequence)
        {
        }

        public void CloseChannel(uint channel, ErrorCode code, string message)
        {
        }
    }
}
