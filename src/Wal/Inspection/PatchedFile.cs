namespace Danube.Fast.Wal;

/// <summary>A file whose writes stay in memory. Runs on: one thread.</summary>
internal sealed class PatchedFile(string path, WalFile? under, FilePatches patches) : WalFile
{
    public override string Path => path;

    public override long Length => Math.Max(under?.Length ?? 0, patches.Length);

    public override void Write(ReadOnlySpan<byte> bytes, long position) => patches.Add(bytes, position);

    public override int Read(Span<byte> buffer, long position)
    {
        int length = (int)Math.Min(buffer.Length, Math.Max(0, Length - position));
        int read = under is null || length == 0 ? 0 : under.Read(buffer[..length], position);
        buffer[read..length].Clear();
        patches.CopyTo(buffer[..length], position);
        return length;
    }

    /// <summary>Nothing was written, so there is nothing to sync.</summary>
    public override void DataSync()
    {
    }

    public override void DropCache() => under?.DropCache();

    public override long NextData(long position)
    {
        long next = under is null || position >= under.Length ? Length : under.NextData(position);
        return Math.Min(next, patches.NextFrom(position));
    }

    public override WalMap Map(bool writable) => throw new InvalidOperationException("Files are only read here.");

    protected override void Dispose(bool disposing) => under?.Dispose();
}
