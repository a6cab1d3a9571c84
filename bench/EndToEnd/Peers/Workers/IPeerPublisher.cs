using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>
/// One connection that publishes to one stream. Runs on: the sending thread, except <see cref="ReadAcknowledged"/>, which has a thread of its own or, one message at a
/// time, the same.
/// </summary>
internal interface IPeerPublisher : IDisposable
{
    /// <summary>A run begins: nothing is on the way.</summary>
    void Begin();

    /// <summary>The messages added from now on go to this stream of the target; only between <see cref="Complete"/> and <see cref="Add"/>.</summary>
    void Select(int stream);

    /// <summary>Appends a message.</summary>
    void Add(WireBuffer output, ReadOnlySpan<byte> payload);

    /// <summary>The messages added since the last call are to be sent now.</summary>
    void Complete(WireBuffer output);

    /// <summary>A run ends: whatever makes the server acknowledge the rest.</summary>
    void Finish(WireBuffer output);

    /// <summary>Sends and empties the buffer.</summary>
    void Send(WireBuffer output);

    /// <summary>Waits for what the server says next. Messages acknowledged since the connection was opened; of each stream in order and without gaps.</summary>
    /// <exception cref="InvalidDataException">The server refused a message or acknowledged another one than the next.</exception>
    long ReadAcknowledged();
}

/// <summary>One connection that consumes one stream from its start and acknowledges what it took. Runs on: one thread.</summary>
internal interface IPeerSubscriber : IDisposable
{
    /// <summary>Waits for more, hands every message out and acknowledges.</summary>
    void Receive(IMessageSink sink);
}
