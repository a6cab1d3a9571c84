using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>A subscription of the fake broker with one consumer at a time. Under the broker's lock.</summary>
internal sealed class FakeSubscription(FakeBroker broker)
{
    private const int MaxRun = 256 * 1024;

    private readonly SortedSet<long> _acked = [];
    private readonly byte[] _deliver = new byte[MaxRun + (16 << 20)];
    private int _frameIndex;
    private long _next;
    private ulong _selected, _bytes, _recordsGranted, _bytesGranted;
    private FakeSession? _session;
    private uint _channel;

    public uint Epoch { get; private set; }
    public long MarkDelete { get; private set; }
    public ulong Taken { get; private set; }
    public ushort Redelivery { get; set; }
    public string ConsumerName { get; private set; } = "";

    /// <summary>Individual acknowledgements are not booked one by one: for tests that count allocations.</summary>
    public bool ForgetAcks { get; set; }

    public SubscribeReply Attach(FakeTopic topic, FakeSession session, string name, uint channel, long start)
    {
        if (Epoch == 0)
        {
            MarkDelete = start;
        }

        Epoch++;
        ConsumerName = name;
        _session = session;
        _channel = channel;
        _next = MarkDelete;
        _selected = _bytes = _recordsGranted = _bytesGranted = Taken = 0;
        return new SubscribeReply { Channel = channel, SubscriptionEpoch = Epoch, MarkDelete = MarkDelete, DurableEnd = topic.End, Generation = topic.Generation };
    }

    public SeekReply Seek(long to)
    {
        Epoch++;
        MarkDelete = _next = to;
        _acked.Clear();
        return new SeekReply { SubscriptionEpoch = Epoch, MarkDelete = to };
    }

    public void Credit(FakeTopic topic, CreditFrame credit)
    {
        _recordsGranted = Math.Max(_recordsGranted, credit.RecordsGranted);
        _bytesGranted = Math.Max(_bytesGranted, credit.BytesGranted);
        Taken = Math.Max(Taken, credit.RecordsTaken);
        Dispatch(topic);
    }

    public void Ack(AckFrame ack)
    {
        if (ack.SubscriptionEpoch != Epoch)
        {
            return;
        }

        // As the real broker: nothing counts that was not delivered in this epoch.
        for (int i = 0; i < ack.RangeCount; i++)
        {
            Assert.True(ack.Range(i).First + ack.Range(i).Count <= _next, "bad_ack");
        }

        if (ack.IsNack)
        {
            return;
        }

        MarkDelete = Math.Max(MarkDelete, ack.CumulativeBelow);
        for (int i = 0; i < ack.RangeCount; i++)
        {
            (long first, uint count) = ack.Range(i);
            if (first <= MarkDelete)
            {
                MarkDelete = Math.Max(MarkDelete, first + count);
            }
            else
            {
                for (long offset = first; offset < first + count && !ForgetAcks; offset++)
                {
                    _acked.Add(offset);
                }
            }
        }

        while (_acked.Count > 0 && _acked.Min <= MarkDelete)
        {
            MarkDelete = Math.Max(MarkDelete, _acked.Min + 1);
            _acked.Remove(_acked.Min);
        }
    }

    public void Dispatch(FakeTopic topic)
    {
        while (_session is not null && _selected < _recordsGranted && _bytes < _bytesGranted)
        {
            _next = Math.Max(_next, MarkDelete);
            ReadOnlySpan<byte> run = topic.Run(ref _frameIndex, _next, MaxRun, _recordsGranted - _selected, out long first, out long end);
            if (run.IsEmpty)
            {
                return;
            }

            SendRun(topic, run, first, end);
        }
    }

    public void Detach(FakeSession session)
    {
        if (_session == session)
        {
            _session = null;
        }
    }

    private void SendRun(FakeTopic topic, ReadOnlySpan<byte> run, long first, long end)
    {
        // Everything below the position, then what was acknowledged beyond it.
        uint before = (uint)Math.Max(0, _next - first);
        long[] acked = _acked.Count == 0 ? [] : [.. _acked.GetViewBetween(Math.Max(first, _next), end - 1)];
        int exclusions = (before > 0 ? 1 : 0) + acked.Length;
        uint selected = (uint)(end - first) - before - (uint)acked.Length;
        int prefix = DeliverFrame.Measure(exclusions);
        int length = prefix + run.Length;
        _selected += selected;
        _bytes += (ulong)length;
        DeliverFrame.Begin(_deliver, new DeliverFields
        {
            Channel = _channel,
            ExclusionCount = exclusions,
            RunLength = run.Length,
            FirstOffset = first,
            SelectedInAll = _selected,
            Selected = selected,
            SubscriptionEpoch = Epoch,
            BytesInAll = _bytes,
            DurableEnd = topic.End,
            RedeliveryCount = Redelivery,
        });
        int at = 0;
        if (before > 0)
        {
            DeliverFrame.WriteExclusion(_deliver, at++, 0, before);
        }

        foreach (long offset in acked)
        {
            DeliverFrame.WriteExclusion(_deliver, at++, (uint)(offset - first), 1);
        }

        DeliverFrame.Seal(_deliver, exclusions);
        run.CopyTo(_deliver.AsSpan(prefix));
        broker.OnDeliver?.Invoke(_deliver, length);
        _next = end;
        _session!.Send(_deliver.AsSpan(0, length));
    }
}
