namespace Danube.Fast.Wal;

/// <summary>
/// The operating system's files under a layer of writes that stay in memory: so the journal is replayed and verified with nothing changed. The memory
/// is that of the journal's entries. Runs on: one thread.
/// </summary>
internal sealed class PatchedFiles : WalFileSystem
{
    private readonly ReadOnlyFiles _under = new();
    private readonly Dictionary<string, FilePatches> _patches = [];

    public override WalFile Open(string path)
    {
        bool exists = _under.FileExists(path);
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

    public override bool FileExists(string path) => _patches.ContainsKey(path) || _under.FileExists(path);

    public override bool DirectoryExists(string path) => _under.DirectoryExists(path);

    public override IReadOnlyList<string> List(string directory) =>
    [
        .. _under.List(directory).Union(_patches.Keys.Where(p => Path.GetDirectoryName(p) == directory).Select(p => Path.GetFileName(p))),
    ];

    public override (long FreeBytes, long TotalBytes) Space(string path) => _under.Space(path);

    public override IDisposable Lock(string path) => _under.Lock(path);

    public override WalFile Create(string path) => _under.Create(path);

    public override void CreateDirectory(string path) => _under.CreateDirectory(path);

    public override void Rename(string from, string to) => _under.Rename(from, to);

    public override void Unlink(string path) => _under.Unlink(path);

    public override void RemoveDirectory(string path) => _under.RemoveDirectory(path);

    public override void SyncDirectory(string path) => _under.SyncDirectory(path);
}
