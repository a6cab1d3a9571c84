using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

internal sealed record SentAck(uint Channel, ulong LastSequence, (ulong Sequence, long Offset)[] Entries);

internal sealed record SentDeliver(
    uint Channel, long FirstOffset, uint Epoch, int Redeliveries, ulong SelectedInAll, ulong BytesInAll, int Length, long[] Offsets, int Frames, int Exclusions);

/// <summary>A connection that keeps what it is given. Every frame is parsed and checked as a client would.</summary>
internal sealed class RecordingSink : IFrameSink
{
    private readonly Lock _lock = new();
    private readonly List<SentAck> _acks = [];
    private readonly List<SentDeliver> _delivers = [];

    public List<(ErrorCode Code, uint Channel, ulong? Sequence, string Message)> Errors { get; } = [];

    public List<(uint Channel, ErrorCode Code, string Message)> Closed { get; } = [];

    /// <summary>Answers false to everything, as a connection does that is gone.</summary>
    public bool IsGone { get; set; }

    /// <summary>Called for each deliver, under the dispatcher's lock: must not block.</summary>
    public Action<SentDeliver>? Delivered { get; set; }

    public int Flushes { get; private set; }

    /// <summary>Of the last publish ack.</summary>
    public uint LastTopicEpoch { get; private set; }

    public SentAck[] Acks
    {
        get
        {
            lock (_lock)
            {
                return [.. _acks];
            }
        }
    }

    public SentDeliver[] Delivers
    {
        get
        {
            lock (_lock)
            {
                return [.. _delivers];
            }
        }
    }

    /// <summary>Offsets of all delivers in the order of sending.</summary>
    public long[] Offsets => [.. Delivers.SelectMany(d => d.Offsets)];

    /// <summary>(sequence, offset) of all publish acks in the order of sending.</summary>
    public (ulong Sequence, long Offset)[] AckEntries => [.. Acks.SelectMany(a => a.Entries)];

    public void Forget()
    {
        lock (_lock)
        {
            _delivers.Clear();
            _acks.Clear();
        }
    }

    public bool Send(ReadOnlySpan<byte> frames)
    {
        if (IsGone)
        {
            return false;
        }

        Assert.True(new StreamHeader(frames).HasValidHeaderCrc);
        Assert.Equal(FrameType.PublishAck, new StreamHeader(frames).Type);
        var ack = new PublishAckFrame(frames);
        Assert.True(ack.IsConsistent);
        var entries = new (ulong, long)[ack.Count];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = ack[i];
        }

        lock (_lock)
        {
            LastTopicEpoch = ack.TopicEpoch;
            _acks.Add(new SentAck(ack.Channel, ack.LastSequence, entries));
        }

        return true;
    }

    public bool Send(ReadOnlySpan<byte> prefix, LogRun run)
    {
        try
        {
            if (IsGone)
            {
                return false;
            }

            byte[] whole = [.. prefix, .. run.Bytes.Span];
            SentDeliver deliver = Parse(whole);
            lock (_lock)
            {
                _delivers.Add(deliver);
            }

            Delivered?.Invoke(deliver);
            return true;
        }
        finally
        {
            run.Owner.Release();
        }
    }

    public void Flush() => Flushes++;

    public void SendError(ErrorCode code, string message, uint channel, ulong? sequence)
    {
        lock (_lock)
        {
            Errors.Add((code, channel, sequence, message));
        }
    }

    public void CloseChannel(uint channel, ErrorCode code, string message)
    {
        lock (_lock)
        {
            Closed.Add((channel, code, message));
        }
    }

    private static SentDeliver Parse(byte[] whole)
    {
        var header = new StreamHeader(whole);
        Assert.True(header.HasValidHeaderCrc);
        Assert.Equal(FrameType.Deliver, header.Type);
        Assert.Equal(whole.Length, header.FrameLength);
        var deliver = new DeliverFrame(whole);
        Assert.True(deliver.HasValidExclusions);
        var excluded = new HashSet<long>();
        for (int i = 0; i < deliver.ExclusionCount; i++)
        {
            (uint first, uint count) = deliver.Exclusion(i);
            for (uint k = 0; k < count; k++)
            {
                Assert.True(excluded.Add(deliver.FirstOffset + first + k), "exclusions overlap");
            }
        }

        var offsets = new List<long>();
        var reader = new RunReader(deliver.Run);
        long next = deliver.FirstOffset;
        int frames = 0;
        while (reader.TryRead(out StoredFrame frame))
        {
            Assert.True(frame.IsIntact);
            Assert.Equal(next, frame.Header.Offset);
            int selectedBefore = offsets.Count;
            for (; next < frame.Header.EndOffset; next++)
            {
                if (!excluded.Remove(next))
                {
                    offsets.Add(next);
                }
            }

            Assert.True(offsets.Count > selectedBefore, "a frame without a selected record was sent");
            frames++;
        }

        Assert.Equal(0, reader.Remaining);
        Assert.Empty(excluded);
        Assert.Equal(offsets.Count, (int)deliver.Selected);
        return new SentDeliver(
            deliver.Channel, deliver.FirstOffset, deliver.SubscriptionEpoch, deliver.RedeliveryCount, deliver.SelectedInAll, deliver.BytesInAll,
            whole.Length, [.. offsets], frames, deliver.ExclusionCount);
    }
}
