using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>Frames. The broker's envelopes are always JSON inside.</summary>
internal sealed class FrameCodec : PeerCodec
{
    public static FrameCodec Instance { get; } = new();

    public override byte[] Encode(Envelope message) => EnvelopeCodec.Encode(message, PayloadEncoding.Json);

    public override byte[] EncodeError(Envelope header, ErrorPayload error) => EnvelopeCodec.EncodeError(header, error);

    public override byte[] EncodeClose(uint channel, ErrorCode code, ErrorPayload reason)
    {
        byte[] json = ErrorBodies.Write(reason);
        byte[] frame = new byte[ProtocolLimits.Align(ProtocolLimits.HeaderSize + json.Length)];
        CloseFrame.Write(frame, channel, code, json);
        return frame;
    }
}
