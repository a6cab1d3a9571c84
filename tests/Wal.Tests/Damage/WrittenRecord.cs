namespace Danube.Fast.Wal.Tests;

/// <summary>A record of cursors.log as it was written.</summary>
/// <param name="Position">Its first byte.</param>
/// <param name="Bytes">Without the padding, whose content nobody looks at.</param>
/// <param name="End">Behind the padding.</param>
/// <param name="Key">In hexadecimal digits.</param>
/// <param name="Value">The value.</param>
internal sealed record WrittenRecord(int Position, byte[] Bytes, int End, string Key, byte[] Value)
{
    public static List<WrittenRecord> Of(SimulatedFile file)
    {
        var records = new List<WrittenRecord>();
        int at = RecordFormat.HeaderSize;
        while (RecordFormat.TryReadRecord(file.Cache.AsSpan(at, file.Length - at), null, out StoredRecord record))
        {
            Assert.False(record.Removed);
            byte[] bytes = file.Cache.AsSpan(at, RecordFormat.RecordHead + record.Key.Length + record.Value.Length).ToArray();
            records.Add(new WrittenRecord(at, bytes, at + record.Length, Convert.ToHexString(record.Key), record.Value.ToArray()));
            at += record.Length;
        }

        Assert.Equal(file.Length, at);
        return records;
    }

    public bool IsIn(SimulatedFile file) => End <= file.Length && file.Cache.AsSpan(Position, Bytes.Length).SequenceEqual(Bytes);
}
