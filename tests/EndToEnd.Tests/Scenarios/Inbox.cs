using System.Collections.Concurrent;
using System.Text;
using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.Scenarios;

/// <summary>Takes everything that one consumer is given, acknowledges it, and keeps it for the assertions.</summary>
internal sealed class Inbox : IAsyncDisposable
{
    /// <summary>A hang guard.</summary>
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(120);

    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<Received> _received = new();
    private readonly Task _loop;

    /// <param name="consumer">Taken over: disposed with the inbox.</param>
    /// <param name="handle">What to do instead of acknowledging; may be null.</param>
    public Inbox(Consumer consumer, Action<Consumer, Received>? handle = null)
    {
        Consumer = consumer;
        _loop = Task.Run(() => ReceiveAsync(handle));
    }

    public Consumer Consumer { get; }

    public IReadOnlyCollection<Received> All => _received;

    public IEnumerable<string> Texts => _received.Select(r => r.Text);

    /// <summary>Waits until all inboxes together hold so many messages, and a little longer for more that should not come.</summary>
    public static async Task WaitAsync(int count, params Inbox[] inboxes)
    {
        using var guard = new CancellationTokenSource(Guard);
        while (inboxes.Sum(i => i._received.Count) < count)
        {
            await Task.Delay(10, guard.Token);
        }

        await Task.Delay(150, guard.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        await Consumer.DisposeAsync();
        _stop.Dispose();
    }

    private async Task ReceiveAsync(Action<Consumer, Received>? handle)
    {
        try
        {
            while (true)
            {
                Message message = await Consumer.ReceiveAsync(_stop.Token);
                var received = new Received(
                    message.Id, Encoding.UTF8.GetString(message.Key.Span), Encoding.UTF8.GetString(message.Payload.Span), message.RedeliveryCount);
                if (handle is null)
                {
                    Consumer.Ack(message);
                }
                else
                {
                    handle(Consumer, received);
                }

                // Last: who sees it here may rely on what was done with it.
                _received.Enqueue(received);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    /// <summary>A message, copied out of the consumer's buffer.</summary>
    internal sealed record Received(MessageId Id, string Key, string Text, int Redeliveries);
}
