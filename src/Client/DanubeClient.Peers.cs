using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Requests and events between clients: the broker passes them on to the connected client of a name, and stores nothing.</summary>
public sealed partial class DanubeClient
{
    /// <summary>The name under which other clients reach this one: <see cref="DanubeClientOptions.ClientName"/>, or a made-up one.</summary>
    public string Name { get; }

    /// <summary>Events of other clients that were thrown away: nobody listens to them, their handler failed, or too many waited.</summary>
    public long DroppedEvents => _inbox.DroppedEvents;

    /// <summary>
    /// Asks another client and waits for its answer. When the connection is lost meanwhile, the call fails and it is not known whether the other one
    /// has heard of it.
    /// </summary>
    /// <param name="target">Name of the client to ask.</param>
    /// <param name="id">What is asked, 1 to 32 bytes of UTF-8, not beginning with <c>$</c>.</param>
    /// <param name="payload">The question; up to the frame limit.</param>
    /// <param name="timeout">How long to wait; null for <see cref="DanubeClientOptions.RequestTimeout"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The answer. It stays valid. A text from a client that speaks JSON lines is that text, in UTF-8; other JSON as it was written.</returns>
    /// <exception cref="DanubeException">
    /// <see cref="ErrorCode.Unroutable"/>: no client of that name is connected; <see cref="ErrorCode.TimedOut"/>; or the error that the other client has answered with.
    /// </exception>
    /// <exception cref="ArgumentException">The name or the id is not valid.</exception>
    public async Task<ReadOnlyMemory<byte>> RequestAsync(
        string target, string id, ReadOnlyMemory<byte> payload, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        CheckPeer(target, id);
        ThrowIfDisposed();
        (_, Connection connection) = await _publishing.ConnectAsync(cancellationToken).ConfigureAwait(false);
        return await connection.RequestPeerAsync(target, id, payload, timeout ?? _publishing.Options.RequestTimeout, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Tells another client something. That it is sent does not mean that it arrives.</summary>
    /// <param name="target">Name of the client to tell.</param>
    /// <param name="id">What is told, 1 to 32 bytes of UTF-8, not beginning with <c>$</c>.</param>
    /// <param name="payload">The content; up to the frame limit.</param>
    /// <param name="cancellationToken">Ends the wait for the connection, or for the broker when much is on the way.</param>
    /// <exception cref="DanubeException">The broker cannot be reached, or the payload is too large.</exception>
    /// <exception cref="ArgumentException">The name or the id is not valid.</exception>
    public async ValueTask SendEventAsync(string target, string id, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken = default)
    {
        CheckPeer(target, id);
        ThrowIfDisposed();
        (_, Connection connection) = await _publishing.ConnectAsync(cancellationToken).ConfigureAwait(false);
        await connection.SendEventAsync(target, id, payload, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Answers requests of other clients from now on, also after lost connections. The handler runs on pool threads, up to
    /// <see cref="DanubeClientOptions.MaxConcurrentHandlers"/> at a time with those of the events. What it throws is the answer: a <see cref="DanubeException"/> with
    /// its code, anything else as <see cref="ErrorCode.Internal"/> with its message.
    /// </summary>
    /// <param name="id">What is asked, 1 to 32 bytes of UTF-8, not beginning with <c>$</c>.</param>
    /// <param name="handler">Gives the answer. Its token is cancelled when the client is disposed.</param>
    /// <returns>Dispose of it to stop answering.</returns>
    /// <exception cref="InvalidOperationException">The id has a handler already.</exception>
    /// <exception cref="ArgumentException">The id is not valid.</exception>
    public IDisposable OnRequest(string id, Func<PeerMessage, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> handler)
    {
        CheckId(id, nameof(id));
        ThrowIfDisposed();
        IDisposable registration = _inbox.Register(id, handler);
        _publishing.Home.Keep();
        return registration;
    }

    /// <summary>Hears events of other clients from now on, also after lost connections. The handler runs as that of requests; events may overtake one another.</summary>
    /// <param name="id">What is told, 1 to 32 bytes of UTF-8, not beginning with <c>$</c>.</param>
    /// <param name="handler">Takes the event. Its token is cancelled when the client is disposed.</param>
    /// <returns>Dispose of it to stop hearing.</returns>
    /// <exception cref="InvalidOperationException">The id has a handler already.</exception>
    /// <exception cref="ArgumentException">The id is not valid.</exception>
    public IDisposable OnEvent(string id, Func<PeerMessage, CancellationToken, ValueTask> handler)
    {
        CheckId(id, nameof(id));
        ThrowIfDisposed();
        IDisposable registration = _inbox.Register(id, handler);
        _publishing.Home.Keep();
        return registration;
    }

    private static void CheckPeer(string target, string id)
    {
        DanubeClientOptions.CheckName(target, nameof(target));
        CheckId(id, nameof(id));
    }

    private static void CheckId(string id, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(id, parameter);
        if (!PeerNames.IsMessageId(id))
        {
            throw new ArgumentException($"'{id}' cannot be a message id between clients, which takes {PeerNames.MessageIdRule}.", parameter);
        }
    }
}
