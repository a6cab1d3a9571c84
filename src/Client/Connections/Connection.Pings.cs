using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Pings: is the broker there, and has it read what was sent before?</summary>
internal sealed partial class Connection
{
    private readonly Dictionary<ulong, TaskCompletionSource> _pings = [];
    private ulong _lastPing;
    private long _lastHealthPing;

    /// <summary>Completes when the broker has read everything that was queued before, because it handles frames in order.</summary>
    /// <exception cref="DanubeException">The connection is lost or the broker does not answer within the request timeout.</exception>
    public async Task PingAsync(CancellationToken cancellationToken)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ulong token;
        lock (_gate)
        {
            if (Cause is { } cause)
            {
                throw cause.Copy();
            }

            token = ++_lastPing;
            _pings.Add(token, answered);
        }

        try
        {
            SendPing(token);
            await answered.Task.WaitAsync(_options.RequestTimeout, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new DanubeException(ErrorCode.TimedOut, $"{Address} did not answer a ping within {_options.RequestTimeout.TotalSeconds:0.#} s.", e);
        }
        finally
        {
            lock (_gate)
            {
                _pings.Remove(token);
            }
        }
    }

    /// <summary>Pings after silence and gives the connection up after a longer one. Runs on: the link's timer, about once per second.</summary>
    public void CheckHealth()
    {
        long received = Volatile.Read(ref _lastReceived);
        TimeSpan silence = _options.TimeProvider.GetElapsedTime(received);
        if (silence >= _options.DeadAfter)
        {
            Close(new DanubeException(ErrorCode.TimedOut, $"{Address} has been silent for {silence.TotalSeconds:0} s; the connection is made again."));
        }
        else if (silence >= _options.PingAfter && _lastHealthPing != received)
        {
            _lastHealthPing = received;
            SendPing(0);
        }
    }

    private void SendPing(ulong token)
    {
        Span<byte> ping = stackalloc byte[ProtocolLimits.HeaderSize];
        PingFrame.Write(ping, FrameType.Ping, token);
        Sends.TryEnqueue(ping);
        Sends.Flush();
    }

    private void OnPong(ulong token)
    {
        lock (_gate)
        {
            if (_pings.Remove(token, out TaskCompletionSource? answered))
            {
                answered.TrySetResult();
            }
        }
    }
}
