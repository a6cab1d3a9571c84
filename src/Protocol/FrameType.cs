namespace Danube.Fast.Protocol;

/// <summary>Byte 4 of a header. Values below 0x10 belong to version 1, the others to version 2. Append-only.</summary>
public enum FrameType : byte
{
    Request = 0,
    Response = 1,
    Event = 2,
    Error = 3,
    Publish = 0x10,
    PublishAck = 0x11,
    Deliver = 0x12,
    Credit = 0x13,
    Ack = 0x14,
    Nack = 0x15,
    Ping = 0x16,
    Pong = 0x17,
    Close = 0x18,

    /// <summary>End of a log segment. Never on a socket.</summary>
    EndOfSegment = 0x1F,
}
