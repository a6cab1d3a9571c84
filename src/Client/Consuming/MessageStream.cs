using System.Runtime.CompilerServices;

namespace Danube.Fast.Client;

/// <summary>Takes the next message if one is there.</summary>
internal delegate bool MessageTaker(out Message message);

/// <summary>The messages of a consumer or reader as an asynchronous sequence, which ends when the consumer is disposed. Runs on: the reader.</summary>
internal sealed class MessageStream(
    Consumer consumer, MessageTaker take, Func<CancellationToken, ValueTask<Message>> wait, CancellationToken cancellationToken) : IAsyncEnumerable<Message>, IAsyncEnumerator<Message>
{
    private CancellationTokenSource? _either;
    private CancellationToken _token = cancellationToken;
    private Message _current;

    public Message Current => _current;

    public IAsyncEnumerator<Message> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.CanBeCanceled && cancellationToken != _token)
        {
            _either = _token.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(_token, cancellationToken) : null;
            _token = _either?.Token ?? cancellationToken;
        }

        return this;
    }

    public ValueTask<bool> MoveNextAsync()
    {
        if (consumer.IsDisposed)
        {
            return new ValueTask<bool>(false);
        }

        return take(out _current) ? new ValueTask<bool>(true) : WaitAsync();
    }

    public ValueTask DisposeAsync()
    {
        _either?.Dispose();
        return default;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WaitAsync()
    {
        try
        {
            _current = await wait(_token).ConfigureAwait(false);
            return true;
        }
        catch (DanubeException) when (consumer.IsDisposed)
        {
            return false;
        }
    }
}
