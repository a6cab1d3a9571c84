namespace Danube.Fast.Core.Tests;

/// <summary>
/// What a subscription must do, offset by offset: who holds what, what is acknowledged, how often each record came back. The test
/// tells it every move, and it judges every deliver.
/// </summary>
internal sealed class SubscriptionModel(SubscriptionType type)
{
    private readonly HashSet<long> _acknowledged = [];
    private readonly Dictionary<long, int> _redeliveries = [];
    private readonly Dictionary<long, (ModelConsumer Consumer, ulong Position)> _inFlight = [];
    private HashSet<long> _savedAcknowledged = [];
    private Dictionary<long, int> _savedRedeliveries = [];
    private uint _savedEpoch;
    private bool _epochRaised;

    public uint Epoch { get; private set; }

    public long Visible { get; set; }

    public long Backlog => Enumerable.Range(0, (int)Visible).LongCount(o => !_acknowledged.Contains(o));

    public long MarkDelete => Enumerable.Range(0, int.MaxValue).First(o => !_acknowledged.Contains(o));

    public bool IsAcknowledged(long offset) => _acknowledged.Contains(offset);

    public long[] HeldBy(ModelConsumer consumer) => [.. _inFlight.Where(f => f.Value.Consumer == consumer).Select(f => f.Key).Order()];

    public void Attach()
    {
        if (type == SubscriptionType.Exclusive || !_epochRaised)
        {
            _epochRaised = true;
            Epoch++;
            _inFlight.Clear();
        }
    }

    public void Deliver(ModelConsumer consumer, SentDeliver deliver)
    {
        Assert.Equal(Epoch, deliver.Epoch);
        Assert.True(consumer.RecordsGranted > consumer.Position && consumer.BytesGranted > consumer.Bytes, "sent without credit");
        foreach (long offset in deliver.Offsets)
        {
            Assert.True(offset < Visible, $"{offset} is not visible");
            Assert.False(_acknowledged.Contains(offset), $"{offset} was acknowledged");
            Assert.False(_inFlight.ContainsKey(offset), $"{offset} is in flight already");
            Assert.Equal(_redeliveries.GetValueOrDefault(offset), deliver.Redeliveries);
            _inFlight.Add(offset, (consumer, consumer.Position++));
        }

        consumer.Bytes += (ulong)deliver.Length;
        Assert.Equal((consumer.Position, consumer.Bytes), (deliver.SelectedInAll, deliver.BytesInAll));
    }

    public void Acknowledge(long first, long end)
    {
        for (long offset = first; offset < end; offset++)
        {
            _acknowledged.Add(offset);
            _inFlight.Remove(offset);
        }
    }

    public void Nack(ModelConsumer consumer, long first, long end)
    {
        for (long offset = first; offset < end; offset++)
        {
            if (_inFlight.TryGetValue(offset, out (ModelConsumer Consumer, ulong Position) held) && held.Consumer == consumer)
            {
                _inFlight.Remove(offset);
                _redeliveries[offset] = _redeliveries.GetValueOrDefault(offset) + 1;
            }
        }
    }

    public void Leave(ModelConsumer consumer)
    {
        foreach (long offset in HeldBy(consumer))
        {
            if (_inFlight[offset].Position < consumer.Taken)
            {
                _redeliveries[offset] = _redeliveries.GetValueOrDefault(offset) + 1;
            }

            _inFlight.Remove(offset);
        }
    }

    public void Seek(long to)
    {
        Epoch++;
        _epochRaised = true;
        _inFlight.Clear();
        _redeliveries.Clear();
        _acknowledged.Clear();
        Acknowledge(0, to);
    }

    public void Saved() => (_savedAcknowledged, _savedRedeliveries, _savedEpoch) = ([.. _acknowledged], new(_redeliveries), Epoch);

    /// <summary>Back to what was saved; what the log has lost is numbered again, so nothing is known about it.</summary>
    public void Restart(long end)
    {
        Visible = end;
        _acknowledged.Clear();
        _acknowledged.UnionWith(_savedAcknowledged.Where(o => o < end));
        _redeliveries.Clear();
        foreach ((long offset, int count) in _savedRedeliveries.Where(r => r.Key < end))
        {
            _redeliveries.Add(offset, count);
        }

        Epoch = _savedEpoch;
        _epochRaised = false;
        _inFlight.Clear();
    }
}

/// <summary>A consumer as the model sees it.</summary>
internal sealed class ModelConsumer
{
    public required Consumer Consumer { get; init; }
    public required RecordingSink Sink { get; init; }
    public ulong RecordsGranted { get; set; }
    public ulong BytesGranted { get; set; }
    public ulong Taken { get; set; }
    public ulong Position { get; set; }
    public ulong Bytes { get; set; }
    public int DeliversSeen { get; set; }
}
