using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>Answer of <see cref="Topic.Publish(Producer, Span{byte}, long)"/>.</summary>
public readonly record struct PublishResult
{
    /// <summary>Why the frame at <see cref="BytesConsumed"/> was refused; it and what follows in the run is not stored.</summary>
    public ErrorCode Error { get; init; }

    /// <summary>First sequence of the refused frame.</summary>
    public ulong Sequence { get; init; }

    /// <summary>Bytes of the run that are settled: stored, or recognised as duplicates.</summary>
    public int BytesConsumed { get; init; }

    /// <summary>The log needs a moment: await <see cref="TopicLog.WaitForRoomAsync"/>, then publish the rest of the run.</summary>
    public bool NotReady { get; init; }
}
