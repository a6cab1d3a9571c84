using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>How envelopes look to a peer: version-1 frames, or JSON lines. Everything else of a session is the same for both. Thread-safe.</summary>
internal abstract class PeerCodec
{
    /// <summary>A request, response or event.</summary>
    public abstract byte[] Encode(Envelope message);

    /// <summary>An error; type and text of <paramref name="header"/> are not looked at.</summary>
    public abstract byte[] EncodeError(Envelope header, ErrorPayload error);

    /// <summary>The end of a channel, or of the connection when it is 0.</summary>
    public abstract byte[] EncodeClose(uint channel, ErrorCode code, ErrorPayload reason);
}
