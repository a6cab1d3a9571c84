using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;

namespace Danube.Fast.LoadTests.Traffic;

/// <summary>Chooses where the latency of a message is recorded, by when it was due. Null = nowhere.</summary>
public delegate StepRecorder? StepChoice(long intendedTimestamp);

/// <summary>
/// Receives, audits, times and acknowledges, message by message. Runs on: one task. Shared with: the scenario, which may slow it down or stop it.
/// </summary>
public sealed class AuditedConsumer : IAsyncDisposable
{
    private readonly Consumer _consumer;
    private readonly SubscriptionAudit _audit;
    private readonly StepChoice _step;
    private readonly ScenarioRecorder _recorder;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _receiving;
    private volatile TaskCompletionSource _gate = Opened();
    private volatile int _pauseMs;
    private long _received;

    internal AuditedConsumer(Consumer consumer, SubscriptionAudit audit, StepChoice step, ScenarioRecorder recorder)
    {
        _consumer = consumer;
        _audit = audit;
        _step = step;
        _recorder = recorder;
        _receiving = Task.Run(ReceiveAsync);
    }

    /// <summary>Messages received, duplicates included.</summary>
    public long Received => Volatile.Read(ref _received);

    public Consumer Consumer => _consumer;

    /// <summary>From now on it waits so long after each message; 0 = not at all.</summary>
    public void SlowDown(int pauseMs) => _pauseMs = pauseMs;

    /// <summary>From now on it takes nothing, but stays connected.</summary>
    public void Stick() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends <see cref="Stick"/> and <see cref="SlowDown"/>.</summary>
    public void Recover()
    {
        _pauseMs = 0;
        _gate.TrySetResult();
    }

    /// <summary>Takes nothing more and leaves: what it took is acknowledged, what it did not take goes to others.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _gate.TrySetResult();
        await _receiving;
        await _consumer.DisposeAsync();
    }

    private static TaskCompletionSource Opened()
    {
        var opened = new TaskCompletionSource();
        opened.SetResult();
        return opened;
    }

    private async Task ReceiveAsync()
    {
        try
        {
            while (true)
            {
                await _gate.Task;
                _stop.Token.ThrowIfCancellationRequested();
                Message message = await _consumer.ReceiveAsync(_stop.Token);
                do
                {
                    Take(message);
                    if (_pauseMs > 0)
                    {
                        await Task.Delay(_pauseMs, _stop.Token);
                    }
                }
                while (_gate.Task.IsCompleted && !_stop.IsCancellationRequested && _consumer.TryReceive(out message));
            }
        }
        catch (OperationCanceledException)
        {
            // It was told to leave.
        }
        catch (DanubeException e)
        {
            _recorder.AddFinding($"a consumer of {_consumer.Subscription} failed: {e.Message}");
        }
    }

    private void Take(in Message message)
    {
        ReadOnlyMemory<byte> payload = message.Payload;
        if (_audit.OnReceived(payload.Span, out long intended))
        {
            _step(intended)?.Record(Response.Ok(payload.Length), intended);
        }

        Volatile.Write(ref _received, _received + 1);
        _consumer.Ack(message);
    }
}
