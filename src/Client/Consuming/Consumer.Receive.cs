using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Danube.Fast.Client;

/// <summary>The three ways to receive. Runs on: the reader, one at a time.</summary>
public sealed partial class Consumer
{
    /// <summary>Gives the next message if one is there already. The message before it becomes invalid.</summary>
    /// <param name="message">The message when the answer is true.</param>
    /// <exception cref="DanubeException">The consumer has ended, for example because another one has taken over.</exception>
    public bool TryReceive(out Message message)
    {
        FrameView view = _view;
        view.Version++;
        if (_process.IsOpen)
        {
            EndProcess();
        }

        while (true)
        {
            if (_left > 0 && _session!.IsCurrent(_epoch))
            {
                if (_offset >= _skipFrom)
                {
                    SkipExcluded();
                    continue;
                }

                int at = _at;
                int length = view.IsBare ? _recordsEnd - at : 4 + BinaryPrimitives.ReadInt32BigEndian(view.Records.AsSpan(at));
                _at = at + length;
                _left--;
                _session.Take(++_taken);
                long offset = _offset++;
                if (offset < _settledEnd && TrySettle(_session.Owner, offset))
                {
                    continue;
                }

                message = new Message(view, at, length, _partition, _generation, offset, _epoch);
                if (_isTraced)
                {
                    view.Activity = _process.Start(message);
                }

                return true;
            }

            if (!TryNextFrame())
            {
                OnEmpty();
                message = default;
                return false;
            }
        }
    }

    /// <summary>Gives the next message as soon as there is one. The message before it becomes invalid.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DanubeException">The consumer has ended, for example because another one has taken over.</exception>
    /// <exception cref="InvalidOperationException">Another receive call is still waiting.</exception>
    public ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default) =>
        TryReceive(out Message message) ? new ValueTask<Message>(message) : WaitForMessageAsync(cancellationToken);

    /// <summary>All messages as they come, until the consumer is disposed or the token is cancelled. Each is valid until the loop goes on.</summary>
    /// <param name="cancellationToken">Ends the enumeration with <see cref="OperationCanceledException"/>.</param>
    public IAsyncEnumerable<Message> ReadAllAsync(CancellationToken cancellationToken = default) =>
        new MessageStream(this, TryReceive, WaitForMessageAsync, cancellationToken);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Message> WaitForMessageAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await WaitAsync(cancellationToken).ConfigureAwait(false);
            if (TryReceive(out Message message))
            {
                return message;
            }
        }
    }

    internal ValueTask WaitAsync(CancellationToken cancellationToken) =>
        cancellationToken.CanBeCanceled ? WaitCancellableAsync(cancellationToken) : Queue.WaitAsync();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WaitCancellableAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ValueTask wait = Queue.WaitAsync();
        CancellationTokenRegistration registration =
            cancellationToken.UnsafeRegister(static (queue, token) => ((DeliverQueue)queue!).Cancel(token), Queue);
        try
        {
            await wait.ConfigureAwait(false);
        }
        finally
        {
            registration.Dispose();
        }
    }

    /// <summary>The application is done with the message given out last.</summary>
    private void EndProcess()
    {
        _view.Activity = null;
        _process.End();
    }

    /// <summary>Nothing to read: the moment to tell the broker what was done.</summary>
    private void OnEmpty()
    {
        ThrowIfFaulted();
        SendAcks();
    }
}
