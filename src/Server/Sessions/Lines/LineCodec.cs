using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions.Lines;

/// <summary>JSON lines. What is a close frame to others is an event here.</summary>
internal sealed class LineCodec : PeerCodec
{
    public static LineCodec Instance { get; } = new();

    /// <summary>As <see cref="ControlJson.Default"/>, but letters of all scripts stay readable: the lines are for people too.</summary>
    public static ControlJson Json { get; } = new(new JsonSerializerOptions(ControlJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public override byte[] Encode(Envelope message)
    {
        var line = new ArrayBufferWriter<byte>(256);
        JsonLineCodec.Encode(line, message);
        return line.WrittenSpan.ToArray();
    }

    public override byte[] EncodeError(Envelope header, ErrorPayload error) => Encode(new Envelope
    {
        Type = FrameType.Error,
        Id = header.Id.Length > 0 ? header.Id : Commands.StreamError,
        Source = header.Source,
        Target = header.Target,
        CorrelationId = header.CorrelationId,
        Error = error.Message.Length > 0 ? error.Message : error.Error,
        Payload = ErrorBodies.Write(error, Json.ErrorPayload),
    });

    public override byte[] EncodeClose(uint channel, ErrorCode code, ErrorPayload reason) => Encode(new Envelope
    {
        Type = FrameType.Event,
        Id = Commands.Close,
        Source = Session.BrokerSource,
        Payload = ErrorBodies.Write(reason, Json.ErrorPayload),
    });
}
