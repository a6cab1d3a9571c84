using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>Records as JSON bodies: text where bytes are UTF-8 without control characters (but tab, line feed, carriage return), base64 where they are not.</summary>
public static class MessageBodies
{
    // Text is shown on terminals, and each of these would take six bytes in JSON.
    private static readonly SearchValues<byte> Controls = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Where(c => c is not ('\t' or '\n' or '\r')).Append(0x7f).Select(c => (byte)c)]);

    /// <param name="frame">Header of the stored frame that holds the record.</param>
    /// <param name="offset">Offset of the record.</param>
    /// <param name="record">The record, unpacked.</param>
    /// <param name="redeliveries">How often it came back from consumers.</param>
    public static MessageBody Of(StreamHeader frame, long offset, in Record record, int redeliveries)
    {
        var body = new MessageBody
        {
            Offset = offset,
            Generation = frame.Generation,
            AppendTime = frame.AppendTimeMicros,
            PublishTime = frame.PublishTimeMicros,
            EventTime = (record.Flags & RecordFlags.EventTime) != 0 ? record.EventTimeMicros : null,
            Attributes = Attributes(record),
            RedeliveryCount = redeliveries,
        };
        if (frame.IsChunk)
        {
            body.Chunk = frame.Attributes;
            body.ChunkEnd = (frame.Flags & FrameFlags.ChunkEnd) != 0;
            body.MessageBytes = frame.Attributes == 0 ? frame.RawLength : null;
        }

        (body.Payload, body.PayloadBase64) = TextOf(record.Payload);
        if ((record.Flags & RecordFlags.Key) != 0)
        {
            (body.Key, body.KeyBase64) = TextOf(record.Key);
        }

        return body;
    }

    private static (string? Text, string? Base64) TextOf(ReadOnlySpan<byte> bytes) =>
        Utf8.IsValid(bytes) && !bytes.ContainsAny(Controls) ? (Encoding.UTF8.GetString(bytes), null) : (null, Convert.ToBase64String(bytes));

    // A value that is no UTF-8 keeps its place with replacement characters: JSON has no bytes.
    private static Dictionary<string, string>? Attributes(in Record record)
    {
        if ((record.Flags & RecordFlags.Attributes) == 0)
        {
            return null;
        }

        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        var reader = new AttributeReader(record.PackedAttributes);
        while (reader.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
        {
            attributes[Encoding.UTF8.GetString(name)] = Encoding.UTF8.GetString(value);
        }

        return attributes;
    }
}
