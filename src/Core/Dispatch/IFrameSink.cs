using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// The way to a peer: a connection's send queue. Frames leave in the order of the calls. Runs on: any thread. Never blocks.
/// </summary>
public interface IFrameSink
{
    /// <summary>Queues a copy of whole, sealed frames. False when the connection is gone.</summary>
    bool Send(ReadOnlySpan<byte> frames);

    /// <summary>Queues a copy of <paramref name="prefix"/> followed by all bytes of <paramref name="run"/>, by reference. The sink releases the run, also when it answers false.</summary>
    bool Send(ReadOnlySpan<byte> prefix, LogRun run);

    /// <summary>Starts sending what is queued unless a send is running already. A non-blocking send may be issued on this thread.</summary>
    void Flush();

    /// <summary>Sends an error frame for a stream event (no request waits for it).</summary>
    void SendError(ErrorCode code, string message, uint channel, ulong? sequence);

    /// <summary>Sends a close frame for one channel; the session forgets the channel.</summary>
    void CloseChannel(uint channel, ErrorCode code, string message);

    /// <summary>
    /// Delivery starts again in a new epoch: what was delivered before and is not settled is forgotten. For sinks whose credit hangs on what is
    /// open; a peer that speaks frames learns of it from the next deliver. Called under the subscription's lock.
    /// </summary>
    void OnEpochRaised()
    {
    }
}
