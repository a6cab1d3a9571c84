using System.Text;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>What one producer sends to one log: numbers of its own, and the keys that lead there. Runs on: the producer's loop; acknowledgements on the client's receive loop.</summary>
internal sealed class LoadLane(LogLedger ledger, int producer, byte[][] keys, long firstNumber)
{
    private const int Keys = 64;

    private long _next = firstNumber;
    private long _nextAcknowledged = firstNumber;

    public LogLedger Ledger { get; } = ledger;

    /// <summary>Number of the next message.</summary>
    public long Next => Interlocked.Read(ref _next);

    public long NextAcknowledged => Interlocked.Read(ref _nextAcknowledged);

    /// <summary>The keys of each partition.</summary>
    public static byte[][][] KeysOf(LoadTopic topic) =>
    [
        .. Enumerable.Range(0, topic.Partitions).Select(p => Enumerable.Range(0, Keys)
            .Select(k => Encoding.UTF8.GetBytes($"key-{k}"))
            .Where(k => KeyHash.Partition(KeyHash.Compute(k), topic.Partitions) == p)
            .ToArray()),
    ];

    public async ValueTask PostAsync(Producer to, byte[] buffer, int length, Random random, CancellationToken cancellation)
    {
        MarkedMessage.Write(buffer.AsSpan(0, length), producer, _next);
        Ledger.OnPosting(producer, _next);
        await to.PostAsync(new OutgoingMessage { Payload = buffer.AsMemory(0, length), Key = keys[random.Next(keys.Length)] }, cancellation);
        Interlocked.Increment(ref _next);
    }

    /// <summary>Batches of a partition are acknowledged in order, each once, so numbers follow by counting.</summary>
    public void OnAcknowledged(in BatchAck ack)
    {
        Ledger.OnAcknowledged(producer, NextAcknowledged, ack);
        Interlocked.Add(ref _nextAcknowledged, ack.Count);
    }
}
