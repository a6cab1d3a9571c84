using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>A topic of the fake broker: frames one behind the other in one array, producers by id, subscriptions by name. Under the broker's lock.</summary>
internal sealed class FakeTopic(FakeBroker broker)
{
    private readonly List<(long Offset, int At, int Length)> _frames = new(1 << 16);
    private readonly Dictionary<ulong, FakeProducer> _producers = [];
    private byte[] _log = new byte[1 << 20];
    private int _logEnd;

    public string Name { get; set; } = "";
    public long End { get; private set; }
    public uint Generation { get; set; } = 7;
    public int Duplicates { get; private set; }
    public Dictionary<string, FakeSubscription> Subscriptions { get; } = [];
    public IReadOnlyList<(long Offset, int At, int Length)> Frames => _frames;

    public void Reserve(int bytes) => Array.Resize(ref _log, bytes);

    public ReadOnlySpan<byte> Frame(int index) => _log.AsSpan(_frames[index].At, _frames[index].Length);

    /// <summary>All payloads in the order of their offsets.</summary>
    public List<string> Payloads()
    {
        lock (broker.Gate)
        {
            var all = new List<string>();
            byte[]? scratch = null;
            for (int i = 0; i < _frames.Count; i++)
            {
                new RunReader(Frame(i)).TryRead(out StoredFrame frame);
                Assert.True(frame.IsIntact);
                Assert.True(Compression.TryUnpack(frame, int.MaxValue, ref scratch, out ReadOnlySpan<byte> records));
                var reader = new RecordReader(records);
                while (reader.TryRead(out Protocol.Record record))
                {
                    all.Add(System.Text.Encoding.UTF8.GetString(record.Payload));
                }
            }

            return all;
        }
    }

    public FakeProducer Attach(ulong id, ulong lastSequence)
    {
        if (!_producers.TryGetValue(id, out FakeProducer? producer))
        {
            _producers.Add(id, producer = new FakeProducer { Generation = Generation });
        }

        producer.LastSequence = Math.Max(producer.LastSequence, lastSequence);
        producer.Held.Clear();
        return producer;
    }

    /// <summary>Judges and stores a frame that arrived on a channel.</summary>
    public ErrorCode Publish(FakeProducer producer, Span<byte> frame)
    {
        var header = new StreamHeader(frame);
        ErrorCode error = PublishValidator.Validate(frame, broker.MaxFrame);
        if (error != ErrorCode.None)
        {
            return error;
        }

        ulong sequence = header.Sequence;
        uint count = header.RecordCount;
        if (sequence <= producer.LastSequence)
        {
            return producer.TryFind(sequence, out long original) ? Acknowledge(producer, sequence, count, original, true) : ErrorCode.SequenceMismatch;
        }

        if (sequence != producer.LastSequence + 1)
        {
            return ErrorCode.SequenceGap;
        }

        if (broker.OnPublish?.Invoke(new StoredFrameInfo(Name, sequence, count, header.ProducerId)) is { } refusal and not ErrorCode.None)
        {
            return refusal;
        }

        long offset = End;
        StreamHeaderWriter.Stamp(frame, offset, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000, 0, Generation, 0);
        Append(frame, offset);
        producer.LastSequence = sequence + count - 1;
        producer.Remember(sequence, offset);
        Acknowledge(producer, sequence, count, offset, false);
        foreach (FakeSubscription subscription in Subscriptions.Values)
        {
            subscription.Dispatch(this);
        }

        return ErrorCode.None;
    }

    /// <summary>Stores a frame as it is, for tests that need odd ones.</summary>
    public void Append(ReadOnlySpan<byte> frame, long offset)
    {
        while (_logEnd + frame.Length > _log.Length)
        {
            Array.Resize(ref _log, _log.Length * 2);
        }

        frame.CopyTo(_log.AsSpan(_logEnd));
        _frames.Add((offset, _logEnd, frame.Length));
        _logEnd += frame.Length;
        End = Math.Max(End, offset + new StreamHeader(frame).RecordCount);
    }

    /// <summary>The frames from the one with <paramref name="offset"/> on, as one run.</summary>
    public ReadOnlySpan<byte> Run(ref int frameIndex, long offset, int maxBytes, ulong maxRecords, out long firstOffset, out long endOffset)
    {
        while (frameIndex > 0 && EndOf(frameIndex - 1) > offset)
        {
            frameIndex--;
        }

        while (frameIndex < _frames.Count && EndOf(frameIndex) <= offset)
        {
            frameIndex++;
        }

        firstOffset = endOffset = offset;
        if (frameIndex == _frames.Count)
        {
            return default;
        }

        firstOffset = _frames[frameIndex].Offset;
        int from = _frames[frameIndex].At, to = from;
        int index = frameIndex;
        do
        {
            to = _frames[index].At + _frames[index].Length;
            endOffset = EndOf(index);
            index++;
        }
        while (index < _frames.Count && (ulong)(endOffset - offset) < maxRecords && _frames[index].At + _frames[index].Length - from <= maxBytes);
        return _log.AsSpan(from, to - from);
    }

    public void SendHeldAcks()
    {
        foreach (FakeProducer producer in _producers.Values)
        {
            producer.SendHeld();
        }
    }

    private long EndOf(int index) => index + 1 < _frames.Count ? _frames[index + 1].Offset : End;

    private ErrorCode Acknowledge(FakeProducer producer, ulong sequence, uint count, long offset, bool duplicate)
    {
        Duplicates += duplicate ? 1 : 0;
        producer.Held.Add((sequence, sequence + count - 1, offset));
        if (!broker.HoldAcks)
        {
            producer.SendHeld();
        }

        return ErrorCode.None;
    }
}

/// <summary>A producer of the fake broker.</summary>
internal sealed class FakeProducer
{
    private readonly (ulong Sequence, long Offset)[] _marks = new (ulong, long)[64];
    private readonly byte[] _ack = new byte[PublishAckFrame.Measure(256)];
    private int _newest;

    public uint Generation { get; init; }
    public ulong LastSequence { get; set; }
    public FakeSession? Session { get; set; }
    public uint Channel { get; set; }
    public List<(ulong First, ulong Last, long Offset)> Held { get; } = new(256);

    public void Remember(ulong sequence, long offset) => _marks[_newest++ % _marks.Length] = (sequence, offset);

    public bool TryFind(ulong sequence, out long offset)
    {
        foreach ((ulong known, long original) in _marks)
        {
            if (known == sequence)
            {
                offset = original;
                return true;
            }
        }

        offset = -1;
        return false;
    }

    public void SendHeld()
    {
        for (int sent = 0; sent < Held.Count;)
        {
            int count = Math.Min(256, Held.Count - sent);
            PublishAckFrame.Begin(_ack, Channel, Held[sent + count - 1].Last, count, 0, Generation);
            for (int i = 0; i < count; i++, sent++)
            {
                PublishAckFrame.WriteEntry(_ack, i, Held[sent].First, Held[sent].Offset);
            }

            StreamHeaderWriter.SealHeader(_ack);
            Session?.Send(_ack.AsSpan(0, PublishAckFrame.Measure(count)));
        }

        Held.Clear();
    }
}
