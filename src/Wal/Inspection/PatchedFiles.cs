namespace Danube.Fast.Wal;

/// <summary>
/// The operating system's files under a layer of writes that stay in memory: so the journal is replayed and verified with nothing changed. The memory
/// is that of the journal's entries. Runs on: one thread.
/// </summary>
internal sealed class PatchedFiles : WalFileSystem
{
    private readonly ReadOnlyFiles _under = new();
    private readonly Dictionary<string, FilePatches> _patches = [];
    private readonly HashSet<string> _unlinked = [];

    public override WalFile Open(string path)
    {
        bool exists = IsUnder(path);
        if (!_patches.TryGetValue(path, out FilePatches? patches))
        {
            _patches[path] = patches = exists ? new FilePatches() : throw new FileNotFoundException($"{path} does not exist.");
        }

        return new PatchedFile(path, exists ? _under.Open(path) : null, patches);
    }

    public override WalFile CreateAllocated(string path, long length)
    {
        var patches = new FilePatches();
        patches.Extend(length);
        _patches.Add(path, patches);
        return new PatchedFile(path, null, patches);
    }

    public override bool FileExists(string path) => _patches.ContainsKey(path) || IsUnder(path);

    public override bool DirectoryExists(string path) => _under.DirectoryExists(path);

    public override IReadOnlyList<string> List(string directory) =>
    [
        .. _under.List(directory).Where(n => !_unlinked.Contains(Path.Combine(directory, n))).Union(_patches.Keys.Where(p => Path.GetDirectoryName(p) == directory).Select(p => Path.GetFileName(p))),
    ];

    public override (long FreeBytes, long TotalBytes) Space(string path) => _under.Space(path);

    public override IDisposable Lock(string path) => _under.Lock(path);

    public override WalFile Create(string path) => _under.Create(path);

    public override void CreateDirectory(string path) => _under.CreateDirectory(path);

    /// <summary>Of a file that exists in memory only.</summary>
    public override void Rename(string from, string to)
    {
        if (!_patches.Remove(from, out FilePatches? patches) || IsUnder(from))
        {
            throw new InvalidOperationException("Files are only read here.");
        }

        _patches[to] = patches;
    }

    public override void Unlink(string path)
    {
        _patches.Remove(path);
        _unlinked.Add(path);
    }

    public override void RemoveDirectory(string path) => _under.RemoveDirectory(path);

    public override void SyncDirectory(string path) => _under.SyncDirectory(path);

    private bool IsUnder(string path) => !_unlinked.Contains(path) && _under.FileExists(path);
}
