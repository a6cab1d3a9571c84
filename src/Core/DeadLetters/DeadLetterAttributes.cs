using System.Globalization;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// The attributes of a dead letter: <c>danube.source_topic</c>, <c>danube.subscription</c>, <c>danube.offset</c>, <c>danube.generation</c>,
/// <c>danube.reason</c>, <c>danube.deliveries</c>; <c>danube.path</c>, the topics it came through, when it was a dead letter before; and
/// <c>danube.chunk</c> of a chunk whose message is not whole. What an earlier dead-letter topic wrote is replaced, others stay.
/// </summary>
internal static class DeadLetterAttributes
{
    /// <summary>Bytes that ours take at most, whatever the record has: names of topics and subscriptions are short, a path is bounded.</summary>
    public const int MaxBytes = 8 * 1024;

    private const int MaxPathBytes = 4 * 1024;
    private const char PathSeparator = ',';

    /// <summary>Packs the attributes of a dead letter into <paramref name="room"/>, which has <see cref="MaxBytes"/> more than the record's own.</summary>
    /// <param name="subscription">Where it comes from.</param>
    /// <param name="range">What it is part of.</param>
    /// <param name="offset">Offset of the message.</param>
    /// <param name="generation">Generation of its frame.</param>
    /// <param name="packed">Attributes of the record.</param>
    /// <param name="chunk">Index of a chunk that goes alone; -1 otherwise.</param>
    /// <param name="room">Gets them.</param>
    public static ReadOnlySpan<byte> Pack(Subscription subscription, DyingRange range, long offset, uint generation, ReadOnlySpan<byte> packed, int chunk, byte[] room)
    {
        var writer = new AttributeWriter(room);
        Add(ref writer, "source_topic", subscription.Topic.Name);
        Add(ref writer, "subscription", subscription.Name);
        Add(ref writer, "offset", offset.ToString(CultureInfo.InvariantCulture));
        Add(ref writer, "generation", generation.ToString(CultureInfo.InvariantCulture));
        Add(ref writer, "reason", ReturnReasons.Name(range.Reason));
        Add(ref writer, "deliveries", range.Deliveries.ToString(CultureInfo.InvariantCulture));
        if (PathOf(packed) is { Length: > 0 } path)
        {
            Add(ref writer, "path", path.Split(PathSeparator).Contains(subscription.Topic.Name) ? path : path + PathSeparator + subscription.Topic.Name);
        }

        if (chunk >= 0)
        {
            Add(ref writer, "chunk", chunk.ToString(CultureInfo.InvariantCulture));
        }

        var reader = new AttributeReader(packed);
        while (reader.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
        {
            // Beyond 255 attributes the last ones go.
            if (!IsOurs(name))
            {
                writer.TryAdd(name, value);
            }
        }

        return writer.Packed;
    }

    /// <summary>True when a record with these attributes has been in a topic already: as a dead letter it would go in a circle.</summary>
    public static bool HasBeenIn(ReadOnlySpan<byte> packed, string topic) => PathOf(packed).Split(PathSeparator).Contains(topic);

    // The topics that the record was a dead letter of before, the first one first.
    private static string PathOf(ReadOnlySpan<byte> packed)
    {
        string source = "", path = "";
        var reader = new AttributeReader(packed);
        while (reader.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
        {
            if (value.Length <= MaxPathBytes)
            {
                source = name.SequenceEqual("danube.source_topic"u8) ? Encoding.UTF8.GetString(value) : source;
                path = name.SequenceEqual("danube.path"u8) ? Encoding.UTF8.GetString(value) : path;
            }
        }

        return path.Length > 0 ? path : source;
    }

    private static bool IsOurs(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("danube.source_topic"u8) || name.SequenceEqual("danube.subscription"u8) || name.SequenceEqual("danube.offset"u8)
        || name.SequenceEqual("danube.generation"u8) || name.SequenceEqual("danube.reason"u8) || name.SequenceEqual("danube.deliveries"u8)
        || name.SequenceEqual("danube.path"u8) || name.SequenceEqual("danube.chunk"u8);

    private static void Add(ref AttributeWriter writer, string name, string value) => writer.TryAdd("danube." + name, Encoding.UTF8.GetBytes(value));
}
