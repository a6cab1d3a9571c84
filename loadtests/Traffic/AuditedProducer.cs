using System.Buffers;
using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;

namespace Danube.Fast.LoadTests.Traffic;

/// <summary>A producer whose messages the auditor knows. Shared with: all iterations.</summary>
public sealed class AuditedProducer(Producer producer, AuditLane lane) : IAsyncDisposable
{
    public Producer Producer => producer;
    public AuditLane Lane => lane;

    /// <summary>Sends the next message of the producer's lane and waits for its acknowledgement.</summary>
    public Task<Response> SendAsync(int sizeBytes, long intendedTimestamp) => SendAsync(lane, sizeBytes, intendedTimestamp, default);

    /// <summary>Sends the next message of any lane, with a key when it is not empty.</summary>
    public async Task<Response> SendAsync(AuditLane on, int sizeBytes, long intendedTimestamp, ReadOnlyMemory<byte> key)
    {
        int size = Math.Max(sizeBytes, AuditedMessage.MinSize);

        // A buffer for each send: while a send waits for room in the window its memory must not change.
        byte[] payload = ArrayPool<byte>.Shared.Rent(size);
        ValueTask<MessageId> sending;
        long number;

        // The order of the numbers is the order of the sends.
        lock (on.Turn)
        {
            number = on.Write(payload.AsSpan(0, size), intendedTimestamp);
            sending = key.IsEmpty
                ? producer.SendAsync(payload.AsMemory(0, size))
                : producer.SendAsync(new OutgoingMessage { Payload = payload.AsMemory(0, size), Key = key });
        }

        await sending;
        ArrayPool<byte>.Shared.Return(payload);
        on.OnAcknowledged(number);
        return Response.Ok(size);
    }

    public ValueTask DisposeAsync() => producer.DisposeAsync();
}
