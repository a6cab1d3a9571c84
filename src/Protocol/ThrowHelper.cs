using System.Diagnostics.CodeAnalysis;

namespace Danube.Fast.Protocol;

/// <summary>Exceptions of this assembly, out of line so that the callers stay small.</summary>
internal static class ThrowHelper
{
    [DoesNotReturn]
    public static void IdTooLong(string name, int length, int limit) =>
        throw new ArgumentException($"The id takes {length} bytes; at most {limit} fit into the header. Ids are never cut: use a shorter one.", name);

    [DoesNotReturn]
    public static void BadText(string name) =>
        throw new ArgumentException("The text has a lone surrogate, so it has no UTF-8 form.", name);

    [DoesNotReturn]
    public static void ShortHeader(int length) =>
        throw new ArgumentException($"A header takes {ProtocolLimits.HeaderSize} bytes, there is room for {length}.", "header");

    [DoesNotReturn]
    public static void NotAnEnvelope(FrameType type, PayloadEncoding encoding) =>
        throw new ArgumentException($"Type {(byte)type} with encoding {(byte)encoding} is not a version-1 message.", nameof(type));

    [DoesNotReturn]
    public static void ErrorWithoutText() =>
        throw new ArgumentException("An error in PLAIN encoding needs a text: an empty payload says nothing.", "message");

    [DoesNotReturn]
    public static void PayloadTooLong(long length) =>
        throw new ArgumentException($"A frame of {length} bytes is over 2 GiB.", "message");

    [DoesNotReturn]
    public static void PayloadNotJson() =>
        throw new ArgumentException("The payload of a JSON line must be one JSON value.", "message");

    [DoesNotReturn]
    public static void KeyTooLong(int length) =>
        throw new ArgumentException($"The key has {length} bytes; at most {ProtocolLimits.MaxKeyLength} are allowed.", "key");

    [DoesNotReturn]
    public static void EmptyBatch() => throw new InvalidOperationException("There is no record in the frame.");
}
