using System.Globalization;
using System.Text;
using Danube.Fast.Client;

namespace Danube.Fast.Cli.Demo.Cluster;

/// <summary>
/// One topic of the demo with its traffic: numbered messages through one broker, received through another one.
/// Runs on: its own loops; acknowledgements on the client's receiving thread. Shared with: the demo, which reads.
/// </summary>
internal sealed class DemoTopic(string name, string durability) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _stop = new();
    private Producer? _producer;
    private Consumer? _consumer;
    private Task _publishing = Task.CompletedTask, _consuming = Task.CompletedTask;
    private long _sent, _acknowledged, _received, _lastOffset = -1;

    public string Name { get; } = name;

    public bool IsFsync => Durability == "fsync";

    public string Durability { get; } = durability;

    public long Sent => Volatile.Read(ref _sent);

    public long Acknowledged => Volatile.Read(ref _acknowledged);

    public long Received => Volatile.Read(ref _received);

    /// <summary>What went wrong, or null.</summary>
    public string? Fault { get; private set; }

    public async Task StartAsync(DanubeClient publishing, DanubeClient consuming, CancellationToken cancellationToken)
    {
        _consumer = await consuming.SubscribeAsync(new ConsumerOptions { Topic = Name, Subscription = "demo", Start = "earliest" }, cancellationToken);
        _producer = await publishing.CreateProducerAsync(
            new ProducerOptions { Topic = Name, SendTimeout = Timeout.InfiniteTimeSpan, OnAcknowledged = OnAcknowledged }, cancellationToken);
        _publishing = PublishAsync();
        _consuming = ConsumeAsync();
    }

    /// <summary>Stops publishing; returns when everything is acknowledged, and on fsync received.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _publishing;
        await _producer!.FlushAsync(cancellationToken);
        while (IsFsync && Received < Sent && Fault is null)
        {
            await Task.Delay(Pause, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_producer is not null)
        {
            await _producer.DisposeAsync();
        }

        if (_consumer is not null)
        {
            await _consumer.DisposeAsync();
        }

        await Task.WhenAll(_publishing, _consuming);
        _stop.Dispose();
    }

    private async Task PublishAsync()
    {
        try
        {
            while (true)
            {
                await _producer!.PostAsync(Encoding.ASCII.GetBytes(Sent.ToString(CultureInfo.InvariantCulture)), _stop.Token);
                Volatile.Write(ref _sent, _sent + 1);
                await Task.Delay(Pause, _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
        catch (DanubeException e)
        {
            Fault ??= $"publishing to {Name} failed: {e.Message}";
        }
    }

    private async Task ConsumeAsync()
    {
        try
        {
            while (true)
            {
                Message message = await _consumer!.ReceiveAsync();
                bool isNew = Check(message);
                _consumer.Ack(message);
                Volatile.Write(ref _received, _received + (isNew ? 1 : 0));
            }
        }
        catch (Exception e) when (e is DanubeException or ObjectDisposedException or OperationCanceledException)
        {
            Fault ??= _stop.IsCancellationRequested ? null : $"consuming {Name} failed: {e.Message}";
        }
    }

    // A memory topic begins anew with another broker; an fsync topic has every number at the offset of the same number, for ever. What was not
    // acknowledged when its broker died comes a second time, and counts once.
    private bool Check(in Message message)
    {
        if (!IsFsync)
        {
            return true;
        }

        long number = long.Parse(Encoding.ASCII.GetString(message.Payload.Span), CultureInfo.InvariantCulture);
        if (number != message.Offset || message.Offset > _lastOffset + 1)
        {
            Fault ??= $"{Name}: after offset {_lastOffset} came message {number} at offset {message.Offset}";
        }

        bool isNew = message.Offset > _lastOffset;
        _lastOffset = Math.Max(_lastOffset, message.Offset);
        return isNew;
    }

    private void OnAcknowledged(in BatchAck ack) => Volatile.Write(ref _acknowledged, _acknowledged + ack.Count);
}
