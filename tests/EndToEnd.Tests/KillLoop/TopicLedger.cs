using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>
/// The auditor of one topic. It hears of every acknowledgement, remembers every message it has read back, and compares. A message once read at an
/// offset stays there for good. Shared with: producers and the test's thread.
/// </summary>
internal sealed class TopicLedger(string topic)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, (int Producer, long Number)> _acknowledged = [];
    private readonly List<(int Producer, long Number)> _stored = [];
    private readonly Dictionary<int, long> _lastNumber = [];
    private readonly Dictionary<int, long> _posted = [];
    private string? _doubled;

    public string Topic { get; } = topic;

    /// <summary>Messages read back so far: offsets [0, this).</summary>
    public int StoredCount => _stored.Count;

    public long AcknowledgedCount
    {
        get
        {
            lock (_lock)
            {
                return _acknowledged.Count;
            }
        }
    }

    /// <summary>The producer is about to post this number.</summary>
    public void OnPosting(int producer, long number)
    {
        lock (_lock)
        {
            _posted[producer] = number;
        }
    }

    /// <summary>The broker has acknowledged a batch: numbers and offsets run side by side.</summary>
    public void OnAcknowledged(int producer, long firstNumber, in BatchAck ack)
    {
        lock (_lock)
        {
            for (int i = 0; i < ack.Count; i++)
            {
                if (!_acknowledged.TryAdd(ack.FirstOffset + i, (producer, firstNumber + i)))
                {
                    // Said later, on the test's thread: this one belongs to the client.
                    _doubled ??= $"{Topic}: offset {ack.FirstOffset + i} was acknowledged for two messages";
                }
            }
        }
    }

    /// <summary>Reads what is new on the broker and checks everything that was acknowledged until now.</summary>
    public async Task AuditAsync(DanubeClient client)
    {
        KeyValuePair<long, (int Producer, long Number)>[] due;
        lock (_lock)
        {
            Assert.Null(_doubled);
            due = [.. _acknowledged];
        }

        TopicInfo info = await client.DescribeTopicAsync(Topic);
        Assert.True(info.CommittedEnd >= _stored.Count, $"{Topic}: {_stored.Count} messages were seen before, the log now ends at {info.CommittedEnd}");

        // What recovery found is visible once it has been synced: the reader waits for that.
        await TopicReading.ReadAsync(client, Topic, _stored.Count, info.CommittedEnd, (_, payload) => Store(payload));
        Check(due);
    }

    /// <summary>Reads all offsets again from 0: nothing that was seen before may have changed.</summary>
    public async Task AuditFromStartAsync(DanubeClient client)
    {
        await TopicReading.ReadAsync(client, Topic, 0, _stored.Count, (offset, payload) =>
        {
            Assert.True(MarkedMessage.TryRead(payload, out int producer, out long number));
            Assert.Equal(_stored[(int)offset], (producer, number));
        });
    }

    /// <summary>Numbers of a producer in the order they are stored.</summary>
    public IReadOnlyList<long> StoredNumbers(int producer) => [.. _stored.Where(s => s.Producer == producer).Select(s => s.Number)];

    private void Store(ReadOnlySpan<byte> payload)
    {
        Assert.True(MarkedMessage.TryRead(payload, out int producer, out long number), $"{Topic}: offset {_stored.Count} holds bytes that nobody sent");
        lock (_lock)
        {
            Assert.True(number <= _posted.GetValueOrDefault(producer, -1), $"{Topic}: message {number} of producer {producer} was never posted");
        }

        Assert.True(number > _lastNumber.GetValueOrDefault(producer, -1), $"{Topic}: producer {producer} has {number} stored behind {_lastNumber.GetValueOrDefault(producer, -1)}: a duplicate or out of order");
        _lastNumber[producer] = number;
        _stored.Add((producer, number));
    }

    private void Check(KeyValuePair<long, (int Producer, long Number)>[] due)
    {
        foreach ((long offset, (int Producer, long Number) message) in due)
        {
            Assert.True(offset < _stored.Count, $"{Topic}: offset {offset} was acknowledged and is gone; the log ends at {_stored.Count}");
            Assert.True(_stored[(int)offset] == message, $"{Topic}: offset {offset} was acknowledged as {message} and holds {_stored[(int)offset]}");
        }
    }
}
