namespace Danube.Fast.Protocol;

/// <summary>Byte 3 of a header: how a version-1 payload is encoded. Version-2 frames carry <see cref="Plain"/>. Append-only.</summary>
public enum PayloadEncoding : byte
{
    Json = 0,
    Gob = 1,
    Plain = 2,
}
