using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>Frame types and encodings as metrics and statistics name them.</summary>
internal static class FrameNames
{
    public static IReadOnlyList<(FrameType Type, string Name)> Types { get; } =
    [
        (FrameType.Request, "request"), (FrameType.Response, "response"), (FrameType.Event, "event"), (FrameType.Error, "error"),
        (FrameType.Publish, "publish"), (FrameType.PublishAck, "publish_ack"), (FrameType.Deliver, "deliver"), (FrameType.Credit, "credit"),
        (FrameType.Ack, "ack"), (FrameType.Nack, "nack"), (FrameType.Ping, "ping"), (FrameType.Pong, "pong"), (FrameType.Close, "close"),
    ];

    public static IReadOnlyList<(PayloadEncoding Encoding, string Name)> Encodings { get; } =
        [(PayloadEncoding.Json, "json"), (PayloadEncoding.Gob, "gob"), (PayloadEncoding.Plain, "plain")];
}
