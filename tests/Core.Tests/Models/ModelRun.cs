using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>One random sequence of moves on a subscription and on its model.</summary>
internal sealed class ModelRun
{
    private const long TimeoutMs = 32_000;

    private static readonly SubscriptionRules Rules = new() { AckTimeoutMs = TimeoutMs, BackOffMinMs = 1_000, BackOffMaxMs = 4_000 };

    private readonly Random _random;
    private readonly SubscriptionType _type;
    private readonly TopicOptions _options;
    private readonly DeliveryModel _model;
    private Rig _rig;
    private Subscription _subscription = null!;
    private byte[]? _saved;
    private uint _channel;

    public ModelRun(int seed, SubscriptionType type)
    {
        _random = new Random(seed);
        _type = type;
        _model = new DeliveryModel(type, TimeoutMs);
        _options = new TopicOptions { MaxAckWindow = _random.Next(5) == 0 ? 30 : 10_000, MaxDeliverBytes = _random.Next(2) == 0 ? 700 : 100_000 };
        _rig = new Rig(_random.Next(2) == 0 ? DurabilityClass.Os : DurabilityClass.Fsync, _options);
    }

    public List<string> Moves { get; } = [];

    /// <summary>Delivers are listed among the moves.</summary>
    public bool Traces { get; init; }

    public long Delivered { get; private set; }

    public long Redelivered { get; private set; }

    public async Task PlayAsync(int moves)
    {
        await OpenAsync(StartPosition.Earliest);
        for (int i = 0; i < moves; i++)
        {
            await MoveAsync(_random.Next(100));
            Judge();
        }

        Finish();
    }

    private async Task OpenAsync(StartPosition start)
    {
        _subscription = await _rig.SubscribeAsync(_type, start);
        _subscription.SetRules(Rules);
    }

    private Task MoveAsync(int dice) => dice switch
    {
        < 18 => Do("publish", Publish),
        < 23 => Do("sync", _rig.Log.Sync),
        < 32 => Do("join", Join),
        < 50 => WithClient("credit", Credit),
        < 63 => WithClient("ack", Ack),
        < 67 => WithClient("ack below", AckBelow),
        < 69 => WithClient("stale ack", StaleAck),
        < 77 => WithClient("nack", Nack),
        < 86 => Do("time", Pass),
        < 91 => WithClient("leave", Leave),
        < 93 => SeekAsync(),
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

    private Task WithClient(string name, Action<ModelClient> move)
    {
        if (_model.Clients.Count > 0)
        {
            ModelClient client = _model.Clients[_random.Next(_model.Clients.Count)];
            Moves.Add($"{name} {client.Name}");
            move(client);
        }

        return Task.CompletedTask;
    }

    private void Publish()
    {
        for (int frames = _random.Next(1, 4); frames > 0; frames--)
        {
            string key = $"k{_random.Next(4)}";
            int count = _random.Next(1, 6);
            switch (_type == SubscriptionType.KeyShared ? _random.Next(5) : 0)
            {
                case 0:
                    key = $"frame {_rig.Log.Committed}";
                    Enter([.. Enumerable.Repeat(key, count)]);
                    _rig.Publish(count);
                    break;
                case 1:
                    Enter([.. Enumerable.Repeat(key, count)]);
                    _rig.PublishOneKey(key, count);
                    break;
                default:
                    string?[] keys = [.. Enumerable.Range(0, count).Select(_ => _random.Next(6) == 0 ? null : $"k{_random.Next(4)}")];
                    Enter([.. keys.Select(k => k ?? $"frame {_rig.Log.Committed}")]);
                    _rig.PublishKeys(keys);
                    break;
            }
        }
    }

    private void Enter(string[] keys)
    {
        Moves[^1] += $" [{string.Join(',', keys)}]";
        foreach (string key in keys)
        {
            _model.Publish(key);
        }
    }

    private void Join()
    {
        if (_type != SubscriptionType.Exclusive && _model.Clients.Count == 3)
        {
            return;
        }

        var sink = new RecordingSink();
        string name = _type == SubscriptionType.Exclusive ? "c" : $"c{_random.Next(4)}";
        var client = new ModelClient { Name = name, Priority = _random.Next(2), Sink = sink };
        Moves[^1] += $" {name} {client.Priority}";
        _model.Join(client);
        client.Consumer = Rig.Attach(_subscription, sink, name, ++_channel, client.Priority);
    }

    private void Credit(ModelClient client)
    {
        _model.Take(client, client.Taken + (ulong)_random.NextInt64((long)(client.Position - client.Taken) + 1));
        client.RecordsGranted += (ulong)_random.Next(20);
        client.BytesGranted += (ulong)_random.Next(4000);
        Moves[^1] += $" {client.RecordsGranted} {client.BytesGranted} taken {client.Taken}";
        Rig.Credit(client.Consumer, _subscription, client.RecordsGranted, client.BytesGranted, client.Taken, (uint)_random.Next(2) * _subscription.Epoch);
    }

    private void Ack(ModelClient client)
    {
        if (client.History.Count == 0)
        {
            return;
        }

        var ranges = new (long First, uint Count)[_random.Next(1, 4)];
        for (int i = 0; i < ranges.Length; i++)
        {
            long first = client.History[_random.Next(client.History.Count)];
            uint count = 1;
            while (_random.Next(4) > 0 && client.History.Contains(first + count))
            {
                count++;
            }

            ranges[i] = (first, count);
            Moves[^1] += $" {first}+{count}";
            _model.Acknowledge(first, first + count);
        }

        Assert.Equal(ErrorCode.None, Rig.Ack(client.Consumer, _subscription, ranges));
    }

    private void AckBelow(ModelClient client)
    {
        ModelRecord[] held = _model.HeldBy(client);
        if (_model.IsOrdered && held.Length > 0)
        {
            long below = held[_random.Next(held.Length)].Offset + 1;
            Moves[^1] += $" {below}";
            _model.Acknowledge(0, below);
            Assert.Equal(ErrorCode.None, Rig.AckBelow(client.Consumer, _subscription, below));
        }
    }

    private void StaleAck(ModelClient client) =>
        Assert.Equal(ErrorCode.None, Rig.Ack(client.Consumer, _subscription, 0, _subscription.Epoch - 1, (0, 1000)));

    private void Nack(ModelClient client)
    {
        ModelRecord[] held = _model.HeldBy(client);
        if (held.Length == 0)
        {
            return;
        }

        long first = held[_random.Next(held.Length)].Offset;
        uint count = (uint)Math.Min(_random.Next(1, 6), held[^1].Offset + 1 - first);
        ulong delay = _random.Next(3) switch { 0 => 0, 1 => 2_000, _ => AckFrame.BackOffDelay };
        Moves[^1] += $" {first}+{count} {(long)delay} ms";
        _model.Nack(client, first, first + count, delay == AckFrame.BackOffDelay ? null : (long)delay);
        Assert.Equal(ErrorCode.None, Rig.Nack(client.Consumer, _subscription, delay, (first, count)));
    }

    private void Pass()
    {
        int seconds = _random.Next(5) switch { 0 => 33, 1 => 10, 2 => 3, _ => 1 };
        Moves[^1] += $" {seconds}";
        PassSeconds(seconds);
    }

    private void PassSeconds(int seconds)
    {
        _model.Now += seconds * 1000;
        _rig.Time.Advance(TimeSpan.FromSeconds(seconds));
        JudgeDelivers();
        _model.Tick();
        _rig.Topic.Tick(0);
    }

    private void Leave(ModelClient client)
    {
        _model.Leave(client);
        client.Consumer.Detach();
    }

    private async Task SeekAsync()
    {
        long to = _random.NextInt64(_rig.Log.Committed + 1);
        Moves.Add($"seek {to}");
        _model.Seek(to);
        await _subscription.SeekAsync(StartPosition.AtOffset(to), CancellationToken.None);
    }

    private async Task RestartAsync(bool clean)
    {
        Moves.Add(clean ? "restart" : "crash");
        if (clean)
        {
            while (_model.Clients.Count > 0)
            {
                // Closing takes all out without an election in between.
                _model.CloseOne();
            }

            _rig.Topic.Close(ErrorCode.Draining, "restart");
            _model.Saved();
        }

        ManualLog log = _rig.Log.Reopen(_rig.Log.Visible);
        _rig = new Rig(options: _options, log: log, cursors: _rig.Cursors);
        await OpenAsync(StartPosition.Latest);
        _model.Restart((int)log.Visible);
        _saved = _rig.Cursors.Load(7, "s");
    }

    private void Judge()
    {
        JudgeDelivers();
        _model.JudgeHeld(_subscription.Cursor);
        Assert.Equal((_model.Epoch, _model.MarkDelete, _model.Backlog), (_subscription.Epoch, _subscription.MarkDelete, _subscription.Backlog));
        Assert.Equal(0, _rig.Log.RunsOut);
        byte[]? saved = _rig.Cursors.Load(7, "s");
        if (!ReferenceEquals(saved, _saved))
        {
            _saved = saved;
            _model.Saved();
        }
    }

    private void JudgeDelivers()
    {
        Rig.Settle(_subscription);
        while (_rig.Log.ColdReads.TryDequeue(out Action? read))
        {
            read();
            Rig.Settle(_subscription);
        }

        _model.Visible = (int)_rig.Log.Visible;
        foreach (ModelClient client in _model.Clients)
        {
            SentDeliver[] delivers = client.Sink.Delivers;
            for (; client.DeliversSeen < delivers.Length; client.DeliversSeen++)
            {
                SentDeliver deliver = delivers[client.DeliversSeen];
                if (Traces)
                {
                    Moves.Add($"  -> {client.Name}: {string.Join(',', deliver.Offsets)} x{deliver.Redeliveries}");
                }

                _model.Deliver(client, deliver);
                Delivered += deliver.Offsets.Length;
                Redelivered += deliver.Redeliveries > 0 ? deliver.Offsets.Length : 0;
            }
        }
    }

    private string Describe() => string.Join(", ", (_subscription.Keys?.Keys ?? []).Select(
        k => $"{k.Pending.Count} ranges from {(k.Pending.Count > 0 ? k.Pending.Lowest : default)}, due {k.Due}, queued {k.IsQueued}, {k.InFlight} in flight"));

    /// <summary>Everything that is not acknowledged arrives, and nothing is left behind: two rounds at least, for a key in back-off is kept until its time.</summary>
    private void Finish()
    {
        Moves.Add("finish");
        _rig.Log.Sync();
        if (_model.Clients.Count == 0)
        {
            Join();
        }

        Judge();
        for (int round = 0; round < 2 || _subscription.Backlog > 0; round++)
        {
            Assert.True(round < 100, $"offset {_model.MarkDelete} never arrives: {Describe()}");
            foreach (ModelClient client in _model.Clients.ToArray())
            {
                client.RecordsGranted = client.BytesGranted = ulong.MaxValue;
                _model.Take(client, client.Position);
                Rig.Credit(client.Consumer, _subscription, ulong.MaxValue, taken: client.Taken);
                Judge();
                foreach (ModelRecord record in _model.HeldBy(client))
                {
                    _model.Acknowledge(record.Offset, record.Offset + 1);
                    Rig.Ack(client.Consumer, _subscription, (record.Offset, 1));
                }

                Judge();
            }

            PassSeconds(5);
            Judge();
        }

        Assert.Empty(_subscription.Keys?.Keys ?? []);
    }
}
