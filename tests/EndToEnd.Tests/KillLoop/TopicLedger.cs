using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>
/// The auditor of one log on disk. It hears of every acknowledgement, remembers every message it has read back, and compares. A message once read at
/// an offset stays there for good, unless the log may give its front up.
/// </summary>
internal sealed class TopicLedger(LoadTopic topic, string log) : LogLedger(log)
{
    private const ulong GivenUp = ulong.MaxValue;

    private readonly Lock _lock = new();
    private readonly List<ulong> _stored = [];
    private readonly Dictionary<int, long> _lastNumber = [];
    private readonly Dictionary<int, long> _posted = [];
    private List<(long Offset, ulong Message)> _due = [];
    private long _highestAcknowledged = -1;
    private long _logStart;
    private long _purgedTo;
    private bool _mayPurge;
    private bool _purgeInDoubt;

    /// <summary>Messages read back so far: offsets [0, this), those that were given up included.</summary>
    public long StoredCount
    {
        get
        {
            lock (_lock)
            {
                return _stored.Count;
            }
        }
    }

    /// <summary>First offset that was kept at the last audit.</summary>
    public long LogStart => Interlocked.Read(ref _logStart);

    /// <summary>Bytes of payload read back.</summary>
    public long ReadBytes { get; private set; }

    public override void OnPosting(int producer, long number)
    {
        lock (_lock)
        {
            _posted[producer] = number;
        }
    }

    /// <summary>A purge is about to be asked for; gives the lowest log start that its success promises.</summary>
    public long OnPurging()
    {
        lock (_lock)
        {
            _mayPurge = true;
            _purgeInDoubt = true;
            return _highestAcknowledged + 1;
        }
    }

    /// <summary>The purge was answered.</summary>
    public void OnPurged(long atLeast)
    {
        lock (_lock)
        {
            _purgedTo = atLeast;
            _purgeInDoubt = false;
        }
    }

    /// <summary>True once after the broker died in a purge: cursors may have gone to the end although the log was not cut yet.</summary>
    public bool TakePurgeInDoubt()
    {
        lock (_lock)
        {
            bool was = _purgeInDoubt;
            _purgeInDoubt = false;
            return was;
        }
    }

    /// <summary>A consumer was given this; wrong is what differs from what was read back at that offset.</summary>
    public void OnDelivered(long offset, ReadOnlySpan<byte> payload)
    {
        if (!MarkedMessage.TryRead(payload, out int producer, out long number))
        {
            Fault($"offset {offset} was delivered with a payload that nobody sent");
            return;
        }

        lock (_lock)
        {
            if (offset < _stored.Count && _stored[(int)offset] is var stored && stored != GivenUp && stored != Pack(producer, number))
            {
                Fault($"offset {offset} was delivered as {number} of producer {producer} and holds {Text(stored)}");
            }
        }
    }

    /// <summary>Reads what is new on the broker and checks everything that was acknowledged until now.</summary>
    public async Task AuditAsync(DanubeClient client)
    {
        ThrowIfFaulted();
        List<(long Offset, ulong Message)> due;
        lock (_lock)
        {
            due = _due;
            _due = [];
        }

        TopicInfo info = await client.DescribeTopicAsync(Log);
        Assert.Equal("ok", info.State);
        TakeLogStart(info);
        Assert.True(info.CommittedEnd >= StoredCount, $"{Log}: {StoredCount} messages were seen before, the log now ends at {info.CommittedEnd}");

        // What recovery found is visible once it has been synced: the reader waits for that.
        await TopicReading.ScanAsync(client, Log, Math.Max(StoredCount, info.LogStart), info.CommittedEnd, topic.RetentionBytes > 0, Store);
        foreach ((long offset, ulong message) in due)
        {
            Assert.True(offset < StoredCount, $"{Log}: offset {offset} was acknowledged and is gone; the log ends at {StoredCount}");
            ulong stored = _stored[(int)offset];
            Assert.True(stored == message || (stored == GivenUp && offset < info.CommittedEnd), $"{Log}: offset {offset} was acknowledged as {Text(message)} and holds {Text(stored)}");
        }
    }

    /// <summary>Reads everything kept again from the front: nothing that was seen before may have changed.</summary>
    /// <param name="client">Where.</param>
    /// <param name="longLived">Producers that sent again what was in doubt: every number is there once, none is missing.</param>
    public async Task AuditFromStartAsync(DanubeClient client, IReadOnlyDictionary<int, long> longLived)
    {
        TopicInfo info = await client.DescribeTopicAsync(Log);
        var next = longLived.ToDictionary(p => p.Key, _ => 0L);
        await TopicReading.ScanAsync(client, Log, info.LogStart, StoredCount, topic.RetentionBytes > 0, (offset, payload) =>
        {
            Assert.True(MarkedMessage.TryRead(payload, out int producer, out long number));
            Assert.True(_stored[(int)offset] == Pack(producer, number), $"{Log}: offset {offset} held {Text(_stored[(int)offset])} and now holds {number} of producer {producer}");
            if (info.LogStart == 0 && next.TryGetValue(producer, out long expected))
            {
                Assert.True(number == expected, $"{Log}: producer {producer} has {number} stored where {expected} was due");
                next[producer] = expected + 1;
            }
        });
        Assert.True(info.LogStart > 0 || next.All(n => longLived[n.Key] == n.Value), $"{Log}: a producer posted more than is stored");
    }

    protected override void Note(int producer, long firstNumber, in BatchAck ack)
    {
        lock (_lock)
        {
            for (int i = 0; i < ack.Count; i++)
            {
                _due.Add((ack.FirstOffset + i, Pack(producer, firstNumber + i)));
            }

            _highestAcknowledged = Math.Max(_highestAcknowledged, ack.FirstOffset + ack.Count - 1);
        }
    }

    private static ulong Pack(int producer, long number) => ((ulong)producer << 48) | (ulong)number;

    private static string Text(ulong message) => message == GivenUp ? "nothing any more" : $"{message & 0xFFFF_FFFF_FFFF} of producer {message >> 48}";

    private void TakeLogStart(TopicInfo info)
    {
        lock (_lock)
        {
            Assert.True(info.LogStart >= _logStart && info.LogStart >= _purgedTo, $"{Log}: the log starts at {info.LogStart} again and was at {Math.Max(_logStart, _purgedTo)}");
            Assert.True(info.LogStart == _logStart || _mayPurge || topic.RetentionBytes > 0, $"{Log}: nobody purged it and it starts at {info.LogStart} instead of {_logStart}");
            Assert.True(topic.RetentionBytes == 0 || info.LogStart == 0 || info.SizeBytes >= topic.RetentionBytes, $"{Log}: retention left {info.SizeBytes} bytes");
            _mayPurge = false;
            Interlocked.Exchange(ref _logStart, info.LogStart);
            FillUpTo(info.LogStart);
        }
    }

    // Under _lock.
    private void FillUpTo(long offset)
    {
        while (_stored.Count < offset)
        {
            _stored.Add(GivenUp);
        }
    }

    private void Store(long offset, ReadOnlySpan<byte> payload)
    {
        Assert.True(MarkedMessage.TryRead(payload, out int producer, out long number), $"{Log}: offset {offset} has a payload that nobody sent");
        ReadBytes += payload.Length;
        lock (_lock)
        {
            FillUpTo(offset);
            Assert.True(_posted.TryGetValue(producer, out long posted) && number <= posted, $"{Log}: message {number} of producer {producer} was never posted");
            long last = _lastNumber.GetValueOrDefault(producer, -1);
            Assert.True(number > last, $"{Log}: producer {producer} has {number} stored behind {last}: a duplicate or out of order");
            _lastNumber[producer] = number;
            _stored.Add(Pack(producer, number));
        }
    }
}
