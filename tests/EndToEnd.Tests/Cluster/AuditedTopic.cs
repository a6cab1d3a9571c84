using System.Diagnostics;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>
/// A topic under audit: a producer that numbers its messages and hears of every acknowledgement, and a consumer that acknowledges what it is given.
/// What was acknowledged on <c>fsync</c> or <c>os</c> is there at its offset for ever; two acknowledgements of one offset would be two owners.
/// Runs on: its own loops; acknowledgements on the client's receiving thread. Shared with: the test, through its lock.
/// </summary>
internal sealed class AuditedTopic(string name, string durability, int id) : IAsyncDisposable
{
    // A long run is read back in the end.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(LongMode.Pick(10, 50));

    private readonly Lock _lock = new();
    private readonly List<(long Offset, long Number, long At)> _acknowledged = [];
    private readonly CancellationTokenSource _stop = new();
    private Producer? _producer;
    private Consumer? _consumer;
    private Task _publishing = Task.CompletedTask, _consuming = Task.CompletedTask;
    private long _next, _nextAcknowledged, _delivered;
    private string? _fault;

    public string Name { get; } = name;

    public string Durability { get; } = durability;

    /// <summary>Messages acknowledged so far.</summary>
    public long Acknowledged => Interlocked.Read(ref _nextAcknowledged);

    /// <summary>Deliveries so far, repeated ones included.</summary>
    public long Delivered => Interlocked.Read(ref _delivered);

    public async Task StartAsync(DanubeClient client)
    {
        _producer = await client.CreateProducerAsync(new ProducerOptions
        {
            Topic = Name,
            Name = $"producer-{id}",
            SendTimeout = Timeout.InfiniteTimeSpan,
            OnAcknowledged = OnAcknowledged,
        });
        _consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Name, Subscription = "audit", Start = "earliest" });
        _publishing = Task.Run(PublishAsync);
        _consuming = Task.Run(ConsumeAsync);
    }

    /// <summary>Waits until messages sent from now on are acknowledged.</summary>
    public async Task GoesOnAsync()
    {
        long from = Interlocked.Read(ref _next);
        await ClusterUnderTest.UntilAsync($"{Name} ({Durability}) acknowledges again", () =>
        {
            ThrowIfFaulted();
            return Task.FromResult(Acknowledged > from);
        });
    }

    /// <summary>Stops publishing, waits for every acknowledgement, reads the topic and compares. Returns the messages that were lost (class <c>memory</c> only).</summary>
    /// <param name="client">Any.</param>
    /// <param name="sinceTicks">Class <c>memory</c>: what was acknowledged after this <see cref="Stopwatch.GetTimestamp"/> must be there.</param>
    public async Task<long> AuditAsync(DanubeClient client, long sinceTicks)
    {
        await _stop.CancelAsync();
        await _publishing;
        using var guard = new CancellationTokenSource(ClusterUnderTest.Guard);
        await _producer!.FlushAsync(guard.Token);
        ThrowIfFaulted();
        Assert.Equal(_next, _nextAcknowledged);
        TopicInfo info = await client.DescribeTopicAsync(Name);
        Assert.Equal("ok", info.State);
        var stored = new Dictionary<long, long>();
        await TopicReading.ScanAsync(client, Name, info.LogStart, info.CommittedEnd, mayTrim: false, (offset, payload) =>
        {
            Assert.True(MarkedMessage.TryRead(payload, out int producer, out long number) && producer == id, $"{Name}: offset {offset} holds what nobody sent");
            Assert.True(stored.TryAdd(number, offset), $"{Name}: message {number} is stored twice, at {stored.GetValueOrDefault(number)} and {offset}");
            Assert.True(number < _next, $"{Name}: message {number} was never sent");
        });
        await ClusterUnderTest.UntilAsync($"{Name}: the consumer has everything", async () => (await client.DescribeTopicAsync(Name)).Subscriptions.Single(s => s.Name == "audit").Backlog == 0);
        return Compare(stored, sinceTicks);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _publishing;
        foreach (IAsyncDisposable? part in new IAsyncDisposable?[] { _producer, _consumer })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }

        await _consuming; // The disposal of its consumer ends it.
    }

    private long Compare(Dictionary<long, long> stored, long sinceTicks)
    {
        lock (_lock)
        {
            if (Durability != "memory")
            {
                foreach ((long offset, long number, _) in _acknowledged)
                {
                    Assert.True(stored.TryGetValue(number, out long at), $"{Name}: message {number} was acknowledged at offset {offset} and is gone");
                    Assert.True(at == offset, $"{Name}: message {number} was acknowledged at offset {offset} and lies at {at}");
                }

                Assert.Equal(_next, stored.Count);
                return 0;
            }

            foreach ((long offset, long number, long at) in _acknowledged)
            {
                Assert.True(at < sinceTicks || stored.ContainsKey(number), $"{Name}: message {number} was acknowledged (offset {offset}) when its former owner had no right to, or was lost later");
            }

            return _acknowledged.Count(a => !stored.ContainsKey(a.Number));
        }
    }

    private async Task PublishAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                for (int i = 0; i < 5; i++)
                {
                    await _producer!.PostAsync(MarkedMessage.Create(id, _next), _stop.Token);
                    Interlocked.Increment(ref _next);
                }

                await Task.Delay(Pause, _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped, maybe while it waited for room.
        }
        catch (Exception e)
        {
            _fault ??= $"{Name}: publishing failed: {e.Message}";
        }
    }

    private async Task ConsumeAsync()
    {
        try
        {
            while (true)
            {
                Message message = await _consumer!.ReceiveAsync();
                if (!MarkedMessage.TryRead(message.Payload.Span, out int producer, out _) || producer != id)
                {
                    _fault ??= $"{Name}: offset {message.Offset} was delivered with a payload that nobody sent";
                }

                Interlocked.Increment(ref _delivered);
                _consumer.Ack(message);
            }
        }
        catch (Exception e) when (e is DanubeException or ObjectDisposedException or OperationCanceledException)
        {
            _fault ??= _stop.IsCancellationRequested ? null : $"{Name}: consuming failed: {e.Message}";
        }
    }

    private void OnAcknowledged(in BatchAck ack)
    {
        lock (_lock)
        {
            long now = Stopwatch.GetTimestamp();
            for (int i = 0; i < ack.Count; i++)
            {
                _acknowledged.Add((ack.FirstOffset + i, _nextAcknowledged + i, now));
            }

            Interlocked.Add(ref _nextAcknowledged, ack.Count);
        }
    }

    private void ThrowIfFaulted()
    {
        if (_fault is { } fault)
        {
            throw new InvalidOperationException(fault);
        }
    }
}
