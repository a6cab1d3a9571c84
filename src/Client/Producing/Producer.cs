namespace Danube.Fast.Client;

/// <summary>
/// Publishes to one topic. Messages are batched as they come: the first leaves at once, the following ones fill the next batch while it is on
/// its way. After a lost connection the unacknowledged batches are sent again, unchanged, and the broker drops what it has already: no
/// message is lost or stored twice. All members can be used from many threads; messages of one thread keep their order (per partition).
/// Made by <see cref="DanubeClient.CreateProducerAsync"/>.
/// </summary>
public sealed partial class Producer : IAsyncDisposable
{
    private readonly PartitionProducer[] _partitions;
    private readonly DanubeClient _client;
    private readonly PublishTrace _trace;
    private int _disposed;

    internal Producer(DanubeClient client, string topic, string name, PartitionProducer[] partitions)
    {
        _client = client;
        Topic = topic;
        Name = name;
        _partitions = partitions;
        _trace = new PublishTrace(topic, name);
    }

    /// <summary>The topic.</summary>
    public string Topic { get; }

    /// <summary>The name, given or made up.</summary>
    public string Name { get; }

    /// <summary>Number of partitions, 1 on topics that are not partitioned.</summary>
    public int PartitionCount => _partitions.Length;

    /// <summary>Sequence of the last message that the broker has acknowledged (on partition 0); 0 when there is none. Grows by one per message.</summary>
    public ulong LastSequence => _partitions[0].AckedSequence;

    /// <summary>Sends a message. The task ends when the broker has acknowledged it.</summary>
    /// <param name="payload">The content; above the frame limit it is sent in chunks. It must not change until the returned task has ended.</param>
    /// <param name="cancellationToken">Ends the wait. A message that has left the queue for room can be stored nevertheless; of a large one the rest is not sent.</param>
    /// <returns>The id of the stored message. Await it once.</returns>
    /// <exception cref="DanubeException">The broker refused the message, or the producer has ended.</exception>
    public ValueTask<MessageId> SendAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken = default) =>
        SendAsync(new OutgoingMessage { Payload = payload }, cancellationToken);

    /// <summary>Sends a message with key, attributes or event time. The task ends when the broker has acknowledged it.</summary>
    /// <param name="message">The message. Its memory must not change until the returned task has ended.</param>
    /// <param name="cancellationToken">Ends the wait. A message that has left the queue for room can be stored nevertheless.</param>
    /// <returns>The id of the stored message. Await it once.</returns>
    /// <exception cref="DanubeException">The broker refused the message, or the producer has ended.</exception>
    /// <exception cref="ArgumentException">The key is too long, the delivery time too far ahead, or a message above the frame limit has attributes or an event time.</exception>
    public ValueTask<MessageId> SendAsync(in OutgoingMessage message, CancellationToken cancellationToken = default) =>
        _trace.StartPublish(message.Payload.Length) is { } span
            ? SendTracedAsync(message, span, cancellationToken)
            : Route(message).SendAsync(message, PublishTrace.Current, cancellationToken);

    /// <summary>Posts a message without waiting for anything: false when the window is full. <see cref="FlushAsync"/> collects the outcome.</summary>
    /// <param name="payload">The content, copied before the call returns.</param>
    /// <exception cref="DanubeException">The message is too large, or the producer has ended.</exception>
    public bool TryPost(ReadOnlySpan<byte> payload) =>
        _trace.StartCreate(payload.Length) is { } span ? TryPostTraced(payload, span) : Next().TryPost(payload, PublishTrace.Current);

    /// <summary>Posts a message without waiting for anything: false when the window is full. <see cref="FlushAsync"/> collects the outcome.</summary>
    /// <param name="message">The message, copied before the call returns.</param>
    /// <exception cref="DanubeException">The message is too large, or the producer has ended.</exception>
    /// <exception cref="ArgumentException">The key is too long, the delivery time too far ahead, or a message above the frame limit has attributes or an event time.</exception>
    public bool TryPost(in OutgoingMessage message) =>
        _trace.StartCreate(message.Payload.Length) is { } span ? TryPostTraced(message, span) : Route(message).TryPost(message, PublishTrace.Current);

    /// <summary>Posts a message; waits only while the window is full. <see cref="FlushAsync"/> collects the outcome.</summary>
    /// <param name="payload">The content. It must not change until the returned task has ended.</param>
    /// <param name="cancellationToken">Ends the wait; the message is not sent then.</param>
    /// <exception cref="DanubeException">The message is too large, or the producer has ended.</exception>
    public ValueTask PostAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken = default) =>
        _trace.StartCreate(payload.Length) is { } span
            ? PostTracedAsync(new OutgoingMessage { Payload = payload }, span, cancellationToken)
            : Next().PostAsync(payload, PublishTrace.Current, cancellationToken);

    /// <summary>Posts a message with key, attributes or event time; waits only while the window is full. <see cref="FlushAsync"/> collects the outcome.</summary>
    /// <param name="message">The message. Its memory must not change until the returned task has ended.</param>
    /// <param name="cancellationToken">Ends the wait; the message is not sent then.</param>
    /// <exception cref="DanubeException">The message is too large, or the producer has ended.</exception>
    /// <exception cref="ArgumentException">The key is too long, the delivery time too far ahead, or a message above the frame limit has attributes or an event time.</exception>
    public ValueTask PostAsync(in OutgoingMessage message, CancellationToken cancellationToken = default) =>
        _trace.StartCreate(message.Payload.Length) is { } span
            ? PostTracedAsync(message, span, cancellationToken)
            : Route(message).PostAsync(message, PublishTrace.Current, cancellationToken);

    /// <summary>Ends when everything posted or sent before this call is acknowledged or refused.</summary>
    /// <param name="cancellationToken">Ends the wait only.</param>
    /// <exception cref="DanubeException">The first refusal of a posted message since the last flush, or the producer has ended.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) =>
        _partitions.Length == 1 ? _partitions[0].FlushAsync(cancellationToken) : FlushAllAsync(cancellationToken);

    /// <summary>Waits for outstanding acknowledgements (at most <see cref="DanubeClientOptions.CloseTimeout"/>), then gives the channel back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        _client.Forget(this);
        await Task.WhenAll(_partitions.Select(p => p.CloseAsync().AsTask())).ConfigureAwait(false);
    }

    private async ValueTask FlushAllAsync(CancellationToken cancellationToken) =>
        await Task.WhenAll(_partitions.Select(p => p.FlushAsync(cancellationToken).AsTask())).ConfigureAwait(false);
}
