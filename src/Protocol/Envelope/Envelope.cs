namespace Danube.Fast.Protocol;

/// <summary>How forgiving a version-1 decoder is.</summary>
public enum EnvelopeMode
{
    /// <summary>Everything the protocol page calls an error is refused. What the broker and the client use.</summary>
    Strict,

    /// <summary>
    /// Also takes what older peers of the same header layout send: any version byte, unknown types (read as a request), non-zero
    /// reserved bytes, bytes behind the payload, error frames without a text.
    /// </summary>
    Lenient,
}

/// <summary>
/// A message of the control plane: version 1 of the header, or one JSON line. Ids are UTF-8 on the wire, up to 32 bytes
/// (correlation id: 20), read up to the first NUL; a byte that is not valid UTF-8 is held as U+DC00 + byte, so decoding and encoding again
/// gives the same bytes.
/// </summary>
public sealed class Envelope
{
    /// <summary><see cref="FrameType.Request"/>, <see cref="FrameType.Response"/>, <see cref="FrameType.Event"/> or <see cref="FrameType.Error"/>.</summary>
    public FrameType Type { get; init; }

    /// <summary>The command (see <see cref="Commands"/>).</summary>
    public string Id { get; init; } = "";
    public string Source { get; init; } = "";
    public string Target { get; init; } = "";

    /// <summary>Ties a response or an error to its request. Unique per connection while the request is open.</summary>
    public string CorrelationId { get; init; } = "";

    /// <summary>Text for people of an error; null on other types.</summary>
    public string? Error { get; init; }

    /// <summary>
    /// The payload; null = nil, which travels as <c>{}</c> (JSON, GOB) or as nothing (PLAIN). An error frame has no payload: its
    /// place on the wire holds the error, see <see cref="ErrorBody"/>.
    /// </summary>
    public ReadOnlyMemory<byte>? Payload { get; init; }

    /// <summary>Set by decoding a frame: how the sender has written the payload. Encoding ignores it.</summary>
    public PayloadEncoding Encoding { get; init; } = PayloadEncoding.Plain;

    /// <summary>
    /// Set by decoding an error frame: the bytes in the payload's place, without the gob wrapping. Encoding ignores it.
    /// <see cref="ErrorBodies.Read"/> makes an <see cref="ErrorPayload"/> of it.
    /// </summary>
    public ReadOnlyMemory<byte>? ErrorBody { get; init; }
}
