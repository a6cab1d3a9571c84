namespace Danube.Fast.Core.Tests;

/// <summary>One record as the model sees it.</summary>
internal sealed class ModelRecord
{
    public required long Offset { get; init; }

    /// <summary>Records with the same key stay in order and with one consumer; on the other types all keys differ.</summary>
    public required string Key { get; init; }
    public bool IsAcknowledged { get; set; }
    public int Redeliveries { get; set; }
    public ModelClient? Holder { get; set; }
    public ulong Position { get; set; }
    public long SentAt { get; set; }
    public long? TakenAt { get; set; }

    /// <summary>Not to be delivered before.</summary>
    public long DueAt { get; set; }
    public bool IsSeenInEpoch { get; set; }
}

/// <summary>A consumer as the model sees it.</summary>
internal sealed class ModelClient
{
    public required string Name { get; init; }
    public required int Priority { get; init; }
    public required RecordingSink Sink { get; init; }
    public Consumer Consumer { get; set; } = null!;
    public ulong RecordsGranted { get; set; }
    public ulong BytesGranted { get; set; }
    public ulong Taken { get; set; }
    public ulong Position { get; set; }
    public ulong Bytes { get; set; }
    public int DeliversSeen { get; set; }

    /// <summary>Offsets it was sent since the last seek: it may acknowledge them whenever it likes.</summary>
    public List<long> History { get; } = [];
}

/// <summary>
/// What a subscription of any type must do, record by record, in the plainest form: who holds what, what is acknowledged, how often
/// each record came back, what may be delivered when. The test tells it every move, and it judges every deliver.
/// </summary>
internal sealed partial class DeliveryModel(SubscriptionType type, long timeoutMs)
{
    private List<(bool Acknowledged, int Redeliveries)> _saved = [];
    private readonly Dictionary<string, long> _returned = [];
    private uint _savedEpoch;
    private bool _epochRaised;
    private ModelClient? _active;

    public List<ModelRecord> Records { get; } = [];

    public List<ModelClient> Clients { get; } = [];

    public int Visible { get; set; }

    public long Now { get; set; }

    public uint Epoch { get; private set; }

    public bool IsOrdered => type is SubscriptionType.Exclusive or SubscriptionType.Failover;

    public long Backlog => Records.Take(Visible).LongCount(r => !r.IsAcknowledged);

    public long MarkDelete => Records.Find(r => !r.IsAcknowledged)?.Offset ?? Records.Count;

    public ModelRecord[] HeldBy(ModelClient client) => [.. Records.Where(r => r.Holder == client && !r.IsAcknowledged)];

    public void Publish(string key) => Records.Add(new ModelRecord { Offset = Records.Count, Key = type == SubscriptionType.KeyShared ? key : $"{Records.Count}" });

    public void Join(ModelClient client)
    {
        ModelClient? former = IsOrdered ? Clients.Find(c => c.Name == client.Name) : null;
        if (former is not null)
        {
            Remove(former);
        }

        Clients.Add(client);
        if (Elect() || !_epochRaised)
        {
            StartEpoch();
        }
    }

    public void Leave(ModelClient client)
    {
        Remove(client);
        if (Elect())
        {
            StartEpoch();
        }
    }

    /// <summary>The topic closes: consumers go one after the other, and nobody takes over.</summary>
    public void CloseOne() => Remove(Clients[^1]);

    public void Take(ModelClient client, ulong taken)
    {
        client.Taken = taken;
        foreach (ModelRecord record in HeldBy(client).Where(r => r.Position < taken))
        {
            record.TakenAt ??= Now;
        }
    }

    public void Acknowledge(long first, long end)
    {
        for (long offset = first; offset < end; offset++)
        {
            Records[(int)offset].IsAcknowledged = true;
            Records[(int)offset].Holder = null;
        }
    }

    /// <summary>Back-off: with 1 s at first and at most 4 s.</summary>
    public void Nack(ModelClient client, long first, long end, long? delayMs)
    {
        foreach (ModelRecord record in HeldBy(client).Where(r => r.Offset >= first && r.Offset < end))
        {
            Return(record, counts: true, delayMs);
        }

        ReturnFollowers();
    }

    /// <summary>What was taken a timeout ago comes back.</summary>
    public void Tick()
    {
        foreach (ModelRecord record in Records.Where(r => r.Holder is not null && !r.IsAcknowledged && Now - r.TakenAt >= timeoutMs))
        {
            Return(record, counts: true, null);
        }

        ReturnFollowers();
    }

    public void Seek(long to)
    {
        _epochRaised = true;
        foreach (ModelRecord record in Records)
        {
            (record.IsAcknowledged, record.Redeliveries) = (record.Offset < to, 0);
        }

        foreach (ModelClient client in Clients)
        {
            client.History.Clear();
        }

        StartEpoch();
    }

    public void Saved() => (_saved, _savedEpoch) = ([.. Records.Select(r => (r.IsAcknowledged, r.Redeliveries))], Epoch);

    /// <summary>Back to what was saved; what the log has lost is gone.</summary>
    public void Restart(int end)
    {
        Records.RemoveRange(end, Records.Count - end);
        Visible = end;
        foreach (ModelRecord record in Records)
        {
            (bool acknowledged, int redeliveries) = record.Offset < _saved.Count ? _saved[(int)record.Offset] : (false, 0);
            (record.IsAcknowledged, record.Redeliveries, record.Holder, record.DueAt) = (acknowledged, redeliveries, null, 0);
        }

        Clients.Clear();
        _active = null;
        Epoch = _savedEpoch;
        _epochRaised = false;
    }

    private void Remove(ModelClient client)
    {
        Clients.Remove(client);
        ReturnAll(client);
        if (_active == client)
        {
            _active = null;
        }
    }

    private void ReturnAll(ModelClient client)
    {
        foreach (ModelRecord record in HeldBy(client))
        {
            Return(record, counts: record.TakenAt is not null, 0);
        }

        _returned.Clear();
    }

    private bool Elect()
    {
        ModelClient? best = IsOrdered ? Clients.MaxBy(c => c.Priority) : null;
        if (best is null || best == _active)
        {
            return false;
        }

        if (_active is not null)
        {
            ReturnAll(_active);
        }

        _active = best;
        return true;
    }

    private void StartEpoch()
    {
        Epoch++;
        _epochRaised = true;
        foreach (ModelRecord record in Records)
        {
            (record.Holder, record.DueAt, record.IsSeenInEpoch) = (null, 0, false);
        }
    }

    /// <param name="record">Comes back.</param>
    /// <param name="counts">True: was in an application's hands.</param>
    /// <param name="delayMs">Null: the back-off.</param>
    private void Return(ModelRecord record, bool counts, long? delayMs)
    {
        record.Holder = null;
        record.Redeliveries += counts ? 1 : 0;
        record.DueAt = Now + (delayMs ?? Math.Min(4_000, 1_000L << Math.Min(10, record.Redeliveries - 1)));
        _returned[record.Key] = Math.Min(record.Offset, _returned.GetValueOrDefault(record.Key, long.MaxValue));
    }

    private void ReturnFollowers()
    {
        foreach (ModelRecord record in Records.Where(r => r.Holder is not null && !r.IsAcknowledged && r.Offset > _returned.GetValueOrDefault(r.Key, long.MaxValue)))
        {
            record.Holder = null;
            record.DueAt = 0;
        }

        _returned.Clear();
    }
}
