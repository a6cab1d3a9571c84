using System.Diagnostics;

namespace Danube.Fast.Client;

/// <summary>
/// The stored frame that a consumer is reading, for the messages that are views into it. One object per consumer, reused for every frame:
/// <see cref="Version"/> moves with every receive call, so a message that has become invalid says so instead of showing other bytes.
/// Runs on: the reader of the consumer.
/// </summary>
internal sealed class FrameView
{
    public int Version { get; set; }
    public byte[] Records { get; set; } = [];
    public bool IsBare { get; set; }
    public byte[] HeaderBytes { get; set; } = [];
    public int HeaderAt { get; set; }
    public ushort RedeliveryCount { get; set; }

    /// <summary>The span of the message given out last, when it is traced.</summary>
    public Activity? Activity { get; set; }
}
