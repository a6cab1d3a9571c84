using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Danube.Fast.Client;

/// <summary>
/// Names a message of a topic for good. <paramref name="Offset"/> is its position; <paramref name="Generation"/> tells two messages apart
/// that had the same offset before and after a crash that lost unsynced data (only possible on topics that are not <c>fsync</c>).
/// </summary>
/// <param name="Partition">Index of the partition, 0 on topics that are not partitioned.</param>
/// <param name="Generation">
/// Generation of the log that the message was written in; 0 when the broker does not know it any more, which is so only in the result of a send
/// that had to be repeated after a restart of the broker.
/// </param>
/// <param name="Offset">Position in the partition, from 0, without gaps.</param>
public readonly record struct MessageId(int Partition, uint Generation, long Offset) : IComparable<MessageId>
{
    /// <summary>Orders by partition, then offset, then generation.</summary>
    /// <param name="other">The id to compare with.</param>
    public int CompareTo(MessageId other)
    {
        int byPartition = Partition.CompareTo(other.Partition);
        int byOffset = byPartition != 0 ? byPartition : Offset.CompareTo(other.Offset);
        return byOffset != 0 ? byOffset : Generation.CompareTo(other.Generation);
    }

    /// <summary>True when <paramref name="left"/> comes before <paramref name="right"/>.</summary>
    public static bool operator <(MessageId left, MessageId right) => left.CompareTo(right) < 0;

    /// <summary>True when <paramref name="left"/> comes after <paramref name="right"/>.</summary>
    public static bool operator >(MessageId left, MessageId right) => left.CompareTo(right) > 0;

    /// <summary>True when <paramref name="left"/> does not come after <paramref name="right"/>.</summary>
    public static bool operator <=(MessageId left, MessageId right) => left.CompareTo(right) <= 0;

    /// <summary>True when <paramref name="left"/> does not come before <paramref name="right"/>.</summary>
    public static bool operator >=(MessageId left, MessageId right) => left.CompareTo(right) >= 0;

    /// <summary><c>partition:generation:offset</c>, which <see cref="TryParse"/> reads.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Partition}:{Generation}:{Offset}");

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <param name="text">The text, null allowed.</param>
    /// <param name="id">The id when the answer is true.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out MessageId id)
    {
        id = default;
        string[] parts = text?.Split(':') ?? [];
        if (parts.Length != 3
            || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int partition)
            || !uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint generation)
            || !long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out long offset))
        {
            return false;
        }

        id = new MessageId(partition, generation, offset);
        return true;
    }
}
