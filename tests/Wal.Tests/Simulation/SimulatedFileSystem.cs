namespace Danube.Fast.Wal.Tests;

/// <summary>Calls that a fault can be injected into.</summary>
public enum FileCall
{
    Create,
    Open,
    Write,
    Read,
    StopReadAhead,
    DropCache,
    Sync,
    Rename,
    Unlink,
    SyncDirectory,
    SyncVolume,
}

/// <summary>
/// A file system in memory that knows what a power cut may leave behind. Crash images: the state at the last syncs plus any subset of the
/// 512-byte sectors and directory operations since. Faults and delays are injected by <see cref="Before"/>.
/// </summary>
internal sealed partial class SimulatedFileSystem : WalFileSystem
{
    private readonly Lock _lock = new();
    private readonly SimulatedDirectory _root;
    private readonly HashSet<string> _locks = [];

    public SimulatedFileSystem()
        : this(new SimulatedDirectory())
    {
    }

    private SimulatedFileSystem(SimulatedDirectory root) => _root = root;

    /// <summary>Called before each operation, outside of the lock; may wait or throw.</summary>
    public Action<FileCall, string>? Before { get; set; }

    /// <summary>Bytes that may still be allocated.</summary>
    public long FreeBytes { get; set; } = long.MaxValue / 2;

    /// <summary>What maps answer when they are asked whether touching their pages would wait for the disk.</summary>
    public bool HasPagesInMemory { get; set; } = true;

    public long TotalBytes { get; set; } = 1L << 40;

    /// <summary>Handles that may be open at a time.</summary>
    public int MostHandles { get; set; } = int.MaxValue;

    /// <summary>What it answers when it is asked whether handles are short.</summary>
    public bool HasFewHandles { get; set; }

    public override bool AreHandlesShort => HasFewHandles;

    /// <summary>Handles that are open.</summary>
    public int Handles { get; private set; }

    /// <summary>Calls so far by kind.</summary>
    public int[] Calls { get; } = new int[Enum.GetValues<FileCall>().Length];

    /// <summary>What the system was asked to begin to write, in order. Says nothing about what is on the disk.</summary>
    public List<(string Path, long Position, long Length)> BegunWrites { get; } = [];

    /// <summary>The state after a power cut now.</summary>
    /// <param name="random">Picks what survives.</param>
    /// <param name="survival">Share of the unsynced sectors and directory operations that survives, 0 to 1.</param>
    public SimulatedFileSystem Crash(Random random, double survival) => Crash(new RandomCut(random, survival));

    /// <summary>The state after a power cut now.</summary>
    public SimulatedFileSystem Crash(PowerCut cut)
    {
        lock (_lock)
        {
            return new SimulatedFileSystem(_root.CrashCopy(cut, []));
        }
    }

    /// <summary>The same machine after the process was killed: nothing is lost, nothing more is on the disk than before.</summary>
    public SimulatedFileSystem Kill() => new(_root) { FreeBytes = FreeBytes, TotalBytes = TotalBytes };

    /// <summary>A copy of what the running system sees, all of it on the disk. Cheap: bytes are copied where one of the two is written.</summary>
    public SimulatedFileSystem CopyAsSynced()
    {
        lock (_lock)
        {
            return new SimulatedFileSystem(_root.CopyAsSynced());
        }
    }

    /// <summary>Direct access to a file, for damaging it.</summary>
    public SimulatedFile FileAt(string path)
    {
        lock (_lock)
        {
            return (SimulatedFile)Find(path)!;
        }
    }

    public override WalFile Create(string path)
    {
        Enter(FileCall.Create, path);
        lock (_lock)
        {
            (SimulatedDirectory parent, string name) = Parent(path);
            if (parent.Entries.ContainsKey(name))
            {
                throw new IOException($"{path} exists.");
            }

            TakeHandle(path);
            var file = new SimulatedFile();
            parent.Add(name, file);
            return new Handle(this, path, file);
        }
    }

    public override WalFile CreateAllocated(string path, long length)
    {
        if (length > FreeBytes)
        {
            throw new DiskFullException($"No space for {path}.");
        }

        var file = (Handle)Create(path);
        lock (_lock)
        {
            FreeBytes -= length;
            file.File.SetLength((int)length);
        }

        return file;
    }

    public override WalFile Open(string path)
    {
        Enter(FileCall.Open, path);
        lock (_lock)
        {
            if (Find(path) is not SimulatedFile file)
            {
                throw new FileNotFoundException($"{path} does not exist.");
            }

            TakeHandle(path);
            return new Handle(this, path, file);
        }
    }

    public override bool FileExists(string path)
    {
        lock (_lock)
        {
            return Find(path) is SimulatedFile;
        }
    }

    public override bool DirectoryExists(string path)
    {
        lock (_lock)
        {
            return Find(path) is SimulatedDirectory;
        }
    }

    public override void CreateDirectory(string path)
    {
        lock (_lock)
        {
            if (Find(path) is null)
            {
                (SimulatedDirectory parent, string name) = Parent(path);
                parent.Add(name, new SimulatedDirectory());
            }
        }
    }

    public override IReadOnlyList<string> List(string directory)
    {
        lock (_lock)
        {
            return Find(directory) is SimulatedDirectory found ? [.. found.Entries.Keys.Order(StringComparer.Ordinal)] : [];
        }
    }

    public override void Rename(string from, string to)
    {
        Enter(FileCall.Rename, from);
        lock (_lock)
        {
            (SimulatedDirectory parent, string oldName) = Parent(from);
            (SimulatedDirectory target, string newName) = Parent(to);
            if (parent == target)
            {
                parent.Rename(oldName, newName);
                return;
            }

            target.Add(newName, parent.Entries[oldName]);
            parent.Remove(oldName);
        }
    }

    public override void Unlink(string path)
    {
        Enter(FileCall.Unlink, path);
        lock (_lock)
        {
            if (Find(Path.GetDirectoryName(path)!) is SimulatedDirectory parent)
            {
                if (parent.Entries.TryGetValue(Path.GetFileName(path), out object? node) && node is SimulatedFile file)
                {
                    FreeBytes += file.Length;
                }

                parent.Remove(Path.GetFileName(path));
            }
        }
    }

    public override void RemoveDirectory(string path)
    {
        lock (_lock)
        {
            if (Find(path) is SimulatedDirectory found)
            {
                Assert.Empty(found.Entries);
                (SimulatedDirectory parent, string name) = Parent(path);
                parent.Remove(name);
            }
        }
    }

    public override void SyncDirectory(string path)
    {
        Enter(FileCall.SyncDirectory, path);
        lock (_lock)
        {
            ((SimulatedDirectory)Find(path)!).Sync();
        }
    }

    public override WalVolume OpenVolume(string path) => new Volume(this, path);

    public override (long FreeBytes, long TotalBytes) Space(string path) => (FreeBytes, TotalBytes);

    public override IDisposable Lock(string path)
    {
        lock (_lock)
        {
            return _locks.Add(path) ? new Unlock(this, path) : throw new DataDirectoryLockedException(path, "0");
        }
    }

    private void Enter(FileCall call, string path)
    {
        Interlocked.Increment(ref Calls[(int)call]);
        Before?.Invoke(call, path);
    }

    // Under the lock.
    private void TakeHandle(string path)
    {
        if (Handles >= MostHandles)
        {
            throw new IOException($"Too many files are open for {path}.", Libc.ETooManyFiles);
        }

        Handles++;
    }

    private object? Find(string path)
    {
        object? at = _root;
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            at = at is SimulatedDirectory directory ? directory.Entries.GetValueOrDefault(part) : null;
        }

        return at;
    }

    private (SimulatedDirectory Parent, string Name) Parent(string path) =>
        (Find(Path.GetDirectoryName(path)!) as SimulatedDirectory ?? throw new DirectoryNotFoundException(path), Path.GetFileName(path));
}
