using System.Text;

namespace Danube.Fast.Metadata;

/// <summary>
/// A transaction of several keys as one record, written in front of the records of its keys: when a crash cuts the file among those,
/// the transaction is made again from here, so it is never there in part. Format (1 byte, 1), revision (8), number of changes (4);
/// of each the key (length-prefixed UTF-8) and the entry as <see cref="EntryCodec"/> writes it (4 bytes of length, -1 for a delete).
/// </summary>
internal static class RedoCodec
{
    /// <summary>Key of the record. No key of an entry looks like it, they start with '/'.</summary>
    public static readonly byte[] Key = [0];

    private const byte Format = 1;

    public static byte[] Encode(MetadataRevision revision)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(Format);
        writer.Write(revision.Revision);
        writer.Write(revision.Changes.Count);
        foreach (MetadataChange change in revision.Changes)
        {
            writer.Write(change.Key);
            byte[]? entry = change.Entry is null ? null : EntryCodec.Encode(change.Entry);
            writer.Write(entry?.Length ?? -1);
            writer.Write(entry ?? []);
        }

        writer.Flush();
        return stream.ToArray();
    }

    /// <exception cref="InvalidDataException">Not a record of a format that is known.</exception>
    public static MetadataRevision Decode(byte[] record)
    {
        using var reader = new BinaryReader(new MemoryStream(record), Encoding.UTF8);
        byte format = reader.ReadByte();
        if (format != Format)
        {
            throw new InvalidDataException($"A metadata transaction has format {format}, this program knows format {Format}.");
        }

        long revision = reader.ReadInt64();
        var changes = new MetadataChange[reader.ReadInt32()];
        for (int i = 0; i < changes.Length; i++)
        {
            string key = reader.ReadString();
            int length = reader.ReadInt32();
            changes[i] = length < 0 ? MetadataChange.Delete(key) : MetadataChange.Put(EntryCodec.Decode(key, reader.ReadBytes(length)));
        }

        return new MetadataRevision(revision, changes);
    }
}
