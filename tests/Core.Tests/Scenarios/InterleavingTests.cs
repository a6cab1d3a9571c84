using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>
/// Random moves from a fixed seed: publish, sync, attach, take over, credit, ack, nack, detach, seek, save, restart, crash. After
/// each move the deliveries, the backlog and mark-delete are those of the model; at the end everything has been acknowledged.
/// </summary>
public sealed class InterleavingTests
{
    [Theory]
    [InlineData(SubscriptionType.Exclusive, DurabilityClass.Os)]
    [InlineData(SubscriptionType.Exclusive, DurabilityClass.Fsync)]
    [InlineData(SubscriptionType.Shared, DurabilityClass.Os)]
    [InlineData(SubscriptionType.Shared, DurabilityClass.Fsync)]
    internal async Task Nothing_is_lost_and_nothing_acknowledged_comes_again(SubscriptionType type, DurabilityClass durability)
    {
        long delivered = 0;
        for (int seed = 1; seed <= 60; seed++)
        {
            var run = new Run(seed, type, durability);
            try
            {
                await run.PlayAsync(150);
                delivered += run.Delivered;
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}: {string.Join("; ", run.Moves.TakeLast(25))}{Environment.NewLine}{error}");
            }
        }

        Assert.True(delivered > 60 * 200, "the moves hardly deliver anything");
    }

    private sealed class Run
    {
        private readonly Random _random;
        private readonly SubscriptionType _type;
        private readonly TopicOptions _options;
        private readonly SubscriptionModel _model;
        private readonly List<ModelConsumer> _consumers = [];
        private Rig _rig;
        private Subscription _subscription = null!;
        private byte[]? _saved;
        private uint _channel;

        public Run(int seed, SubscriptionType type, DurabilityClass durability)
        {
            _random = new Random(seed);
            _type = type;
            _model = new SubscriptionModel(type);
            _options = new TopicOptions { MaxAckWindow = _random.Next(3) == 0 ? 40 : 10_000, MaxDeliverBytes = _random.Next(2) == 0 ? 700 : 100_000 };
            _rig = new Rig(durability, _options);
        }

        public List<string> Moves { get; } = [];

        public long Delivered { get; private set; }

        public async Task PlayAsync(int moves)
        {
            _subscription = await _rig.SubscribeAsync(_type);
            for (int i = 0; i < moves; i++)
            {
                await MoveAsync(_random.Next(100));
                Judge();
            }

            Finish();
        }

        private Task MoveAsync(int dice) => dice switch
        {
            < 22 => Do("publish", Publish),
            < 30 => Do("sync", _rig.Log.Sync),
            < 38 => Do("attach", Attach),
            < 54 => WithConsumer("credit", Credit),
            < 68 => WithConsumer("ack", Ack),
            < 73 => WithConsumer("ack below", AckBelow),
            < 76 => WithConsumer("stale ack", StaleAck),
            < 82 => WithConsumer("nack", Nack),
            < 85 => Do("time", () => _rig.Time.Advance(TimeSpan.FromMilliseconds(70))),
            < 91 => WithConsumer("detach", Detach),
            < 94 => SeekAsync(),
            < 96 => Do("flush", _rig.Topic.FlushCursors),
            < 97 => Do("cold", () => _rig.Log.ColdBelow = _random.NextInt64(_rig.Log.Committed + 1)),
            < 99 => RestartAsync(clean: true),
            _ => RestartAsync(clean: false),
        };

        private Task Do(string name, Action move)
        {
            Moves.Add(name);
            move();
            return Task.CompletedTask;
        }

        private Task WithConsumer(string name, Action<ModelConsumer> move)
        {
            if (_consumers.Count > 0)
            {
                Moves.Add(name);
                move(_consumers[_random.Next(_consumers.Count)]);
            }

            return Task.CompletedTask;
        }

        private void Publish() => _rig.Publish([.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => _random.Next(1, 20))]);

        private void Attach()
        {
            if (_type == SubscriptionType.Shared && _consumers.Count == 3)
            {
                return;
            }

            if (_type == SubscriptionType.Exclusive)
            {
                foreach (ModelConsumer former in _consumers)
                {
                    _model.Leave(former);
                }

                _consumers.Clear();
            }

            _model.Attach();
            var sink = new RecordingSink();
            _consumers.Add(new ModelConsumer { Sink = sink, Consumer = Rig.Attach(_subscription, sink, "c", ++_channel) });
        }

        private void Credit(ModelConsumer consumer)
        {
            consumer.Taken += (ulong)_random.NextInt64((long)(consumer.Position - consumer.Taken) + 1);
            consumer.RecordsGranted += (ulong)_random.Next(60);
            consumer.BytesGranted += (ulong)_random.Next(6000);
            Rig.Credit(consumer.Consumer, _subscription, consumer.RecordsGranted, consumer.BytesGranted, consumer.Taken, (uint)_random.Next(2) * _subscription.Epoch);
        }

        private void Ack(ModelConsumer consumer)
        {
            long[] held = _model.HeldBy(consumer);
            if (held.Length == 0)
            {
                return;
            }

            var ranges = new (long First, uint Count)[_random.Next(1, 4)];
            for (int i = 0; i < ranges.Length; i++)
            {
                long first = held[_random.Next(held.Length)];
                uint count = 1;
                while (_random.Next(4) > 0 && held.Contains(first + count))
                {
                    count++;
                }

                ranges[i] = (first, count);
            }

            foreach ((long first, uint count) in ranges)
            {
                _model.Acknowledge(first, first + count);
            }

            Assert.Equal(ErrorCode.None, Rig.Ack(consumer.Consumer, _subscription, ranges));
        }

        private void AckBelow(ModelConsumer consumer)
        {
            long[] held = _model.HeldBy(consumer);
            if (_type == SubscriptionType.Exclusive && held.Length > 0)
            {
                long below = held[_random.Next(held.Length)] + 1;
                _model.Acknowledge(0, below);
                Assert.Equal(ErrorCode.None, Rig.AckBelow(consumer.Consumer, _subscription, below));
            }
        }

        private void StaleAck(ModelConsumer consumer) =>
            Assert.Equal(ErrorCode.None, Rig.Ack(consumer.Consumer, _subscription, 0, _subscription.Epoch - 1, (0, 1000)));

        private void Nack(ModelConsumer consumer)
        {
            long[] held = _model.HeldBy(consumer);
            if (held.Length > 0)
            {
                long first = held[_random.Next(held.Length)];
                uint count = (uint)Math.Min(_random.Next(1, 10), held[^1] + 1 - first);
                _model.Nack(consumer, first, first + count);
                Assert.Equal(ErrorCode.None, Rig.Nack(consumer.Consumer, _subscription, (ulong)(_random.Next(2) * 100), (first, count)));
            }
        }

        private void Detach(ModelConsumer consumer)
        {
            _consumers.Remove(consumer);
            _model.Leave(consumer);
            consumer.Consumer.Detach();
        }

        private async Task SeekAsync()
        {
            Moves.Add("seek");
            long to = _random.NextInt64(_rig.Log.Committed + 1);
            _model.Seek(to);
            await _subscription.SeekAsync(StartPosition.AtOffset(to), CancellationToken.None);
        }

        private async Task RestartAsync(bool clean)
        {
            Moves.Add(clean ? "restart" : "crash");
            if (clean)
            {
                foreach (ModelConsumer consumer in _consumers)
                {
                    _model.Leave(consumer);
                }

                _rig.Topic.Close(ErrorCode.Draining, "restart");
                _model.Saved();
            }

            // A crash loses what was not durable; os topics keep what was written.
            ManualLog log = _rig.Log.Reopen(_rig.Log.Visible);
            _consumers.Clear();
            _rig = new Rig(options: _options, log: log, cursors: _rig.Cursors);
            _subscription = await _rig.SubscribeAsync(_type, StartPosition.Latest);
            _model.Restart(log.Visible);
            _saved = _rig.Cursors.Load(7, "s");
        }

        private void Judge()
        {
            Rig.Settle(_subscription);
            while (_rig.Log.ColdReads.TryDequeue(out Action? read))
            {
                read();
                Rig.Settle(_subscription);
            }

            _model.Visible = _rig.Log.Visible;
            foreach (ModelConsumer consumer in _consumers)
            {
                SentDeliver[] delivers = consumer.Sink.Delivers;
                for (; consumer.DeliversSeen < delivers.Length; consumer.DeliversSeen++)
                {
                    _model.Deliver(consumer, delivers[consumer.DeliversSeen]);
                    Delivered += delivers[consumer.DeliversSeen].Offsets.Length;
                }
            }

            Assert.Equal((_model.Epoch, _model.MarkDelete, _model.Backlog), (_subscription.Epoch, _subscription.MarkDelete, _subscription.Backlog));
            Assert.Equal(0, _rig.Log.RunsOut);
            byte[]? saved = _rig.Cursors.Load(7, "s");
            if (!ReferenceEquals(saved, _saved))
            {
                _saved = saved;
                _model.Saved();
            }
        }

        private void Finish()
        {
            Moves.Add("finish");
            _rig.Log.Sync();
            _rig.Time.Advance(TimeSpan.FromSeconds(1));
            if (_consumers.Count == 0)
            {
                Attach();
            }

            Judge();
            for (int round = 0; _subscription.Backlog > 0; round++)
            {
                Assert.True(round < 1000, $"{_subscription.Backlog} records never arrive");
                foreach (ModelConsumer consumer in _consumers)
                {
                    consumer.RecordsGranted = consumer.BytesGranted = ulong.MaxValue;
                    Rig.Credit(consumer.Consumer, _subscription, ulong.MaxValue);
                    Judge();
                    foreach (long offset in _model.HeldBy(consumer))
                    {
                        _model.Acknowledge(offset, offset + 1);
                        Rig.Ack(consumer.Consumer, _subscription, (offset, 1));
                    }

                    Judge();
                }
            }
        }
    }
}
