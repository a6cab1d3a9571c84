using System.Buffers.Binary;

namespace Danube.Fast.Metadata;

/// <summary>
/// Value of a record in the metadata file: format (1 byte, 2), revision (8), created revision (8), version of the key (8), then the
/// value, all little-endian. Format 1, still read, has no version of the key; it counts as 1. The record under the empty key carries
/// the store's revision alone, so that deletes do not turn the count back.
/// </summary>
internal static class EntryCodec
{
    private const byte Format = 2;
    private const int HeaderBytes = 1 + 8 + 8 + 8;
    private const int HeaderBytesV1 = 1 + 8 + 8;

    public static byte[] Encode(MetadataEntry entry) =>
        Encode(entry.Revision, entry.CreatedRevision, entry.Version, entry.Value.Span);

    public static byte[] EncodeRevision(long revision) => Encode(revision, revision, 1, []);

    /// <exception cref="InvalidDataException">Not a record of a format that is known.</exception>
    public static MetadataEntry Decode(string key, ReadOnlySpan<byte> record)
    {
        byte format = record.IsEmpty ? (byte)0 : record[0];
        int header = format switch
        {
            1 => HeaderBytesV1,
            Format => HeaderBytes,
            _ => throw new InvalidDataException($"A metadata record has format {format}, this program knows the formats 1 and {Format}."),
        };
        if (record.Length < header)
        {
            throw new InvalidDataException($"A metadata record has {record.Length} bytes, at least {header} are needed.");
        }

        return new MetadataEntry(key, record[header..].ToArray(), BinaryPrimitives.ReadInt64LittleEndian(record[1..]),
            BinaryPrimitives.ReadInt64LittleEndian(record[9..]), format == 1 ? 1 : BinaryPrimitives.ReadInt64LittleEndian(record[17..]));
    }

    private static byte[] Encode(long revision, long createdRevision, long version, ReadOnlySpan<byte> value)
    {
        var record = new byte[HeaderBytes + value.Length];
        record[0] = Format;
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(1), revision);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(9), createdRevision);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(17), version);
        value.CopyTo(record.AsSpan(HeaderBytes));
        return record;
    }
}
