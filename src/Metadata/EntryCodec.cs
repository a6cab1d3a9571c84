using System.Buffers.Binary;

namespace Danube.Fast.Metadata;

/// <summary>
/// Value of a record in the metadata file: version (1 byte, 1), revision (8), created revision (8), then the value, all
/// little-endian. The record under the empty key carries the store's revision alone, so that deletes do not turn the count back.
/// </summary>
internal static class EntryCodec
{
    private const byte Version = 1;
    private const int HeaderBytes = 1 + 8 + 8;

    public static byte[] Encode(long revision, long createdRevision, ReadOnlySpan<byte> value)
    {
        var record = new byte[HeaderBytes + value.Length];
        record[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(1), revision);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(9), createdRevision);
        value.CopyTo(record.AsSpan(HeaderBytes));
        return record;
    }

    /// <exception cref="InvalidDataException">Not a record of this version.</exception>
    public static (long Revision, long CreatedRevision, byte[] Value) Decode(ReadOnlySpan<byte> record)
    {
        if (record.Length < HeaderBytes || record[0] != Version)
        {
            throw new InvalidDataException(record.Length < HeaderBytes
                ? $"A metadata record has {record.Length} bytes, at least {HeaderBytes} are needed."
                : $"A metadata record has version {record[0]}, this program knows version {Version}.");
        }

        return (BinaryPrimitives.ReadInt64LittleEndian(record[1..]), BinaryPrimitives.ReadInt64LittleEndian(record[9..]),
            record[HeaderBytes..].ToArray());
    }
}
