using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>One whole frame as it came from the broker.</summary>
internal sealed class ReceivedFrame(byte[] bytes)
{
    public byte[] Bytes { get; } = bytes;

    public int Version => Bytes[2];

    public FrameType Type => (FrameType)Bytes[4];

    public PublishAckFrame PublishAck => new(Bytes);

    public DeliverFrame Deliver => new(Bytes);

    public CloseFrame Close => new(Bytes);

    public Envelope Envelope =>
        EnvelopeCodec.TryDecode(Bytes, EnvelopeMode.Strict, int.MaxValue, out Envelope? message, out ErrorCode error)
            ? message!
            : throw new InvalidOperationException($"The broker sent an envelope that cannot be read: {error}.");

    public ErrorPayload Error => ErrorBodies.Read(Envelope);

    public ErrorPayload CloseReason => JsonSerializer.Deserialize(new CloseFrame(Bytes).Json, ControlJson.Default.ErrorPayload)!;

    public T Payload<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(Envelope.Payload!.Value.Span, type)!;
}
