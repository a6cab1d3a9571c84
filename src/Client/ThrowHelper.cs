using System.Diagnostics.CodeAnalysis;

namespace Danube.Fast.Client;

/// <summary>Exceptions of hot members, out of line so that those stay small.</summary>
internal static class ThrowHelper
{
    [DoesNotReturn]
    public static void MessageExpired() =>
        throw new InvalidOperationException("The message is valid only until the next receive call on its consumer. Use it before, or keep a copy made with ToOwned().");

    [DoesNotReturn]
    public static void KeyTooLong(int length) =>
        throw new ArgumentException($"The key takes {length} bytes; at most {Protocol.ProtocolLimits.MaxKeyLength} are possible.", "message");

    [DoesNotReturn]
    public static void DeliverAtTooFar() =>
        throw new ArgumentException($"The delivery time is more than {FrameTiming.LongestDelay.TotalDays:0} days ahead, which a delay cannot express.", "message");

    [DoesNotReturn]
    public static void ChunksWithParts(int maxFrame) =>
        throw new ArgumentException($"A message above the frame limit of {maxFrame} bytes travels in chunks, which have no attributes and no event time.", "message");

    [DoesNotReturn]
    public static void ReceiveInParallel() =>
        throw new InvalidOperationException("Another receive call on this consumer is still waiting; receive from one thread at a time.");

    [DoesNotReturn]
    public static void NoSuchPartition(int partition, int count) =>
        throw new ArgumentOutOfRangeException(nameof(partition), partition, $"The topic has {count} partition(s), counted from 0.");
}
