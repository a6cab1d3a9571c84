using System.Runtime.InteropServices;

namespace Danube.Fast.Wal.Tests;

/// <summary>
/// Content of a file in the simulation: what the page cache shows, what the disk surely has, and every version that a sector had since the last sync.
/// Under the file system's lock.
/// </summary>
internal sealed class SimulatedFile
{
    public const int Sector = 512;

    private readonly Dictionary<int, List<byte[]>> _versions = [];
    private readonly HashSet<int> _lost = [];
    private byte[] _disk = [];
    private int _diskLength;

    // Copies share their bytes until one of them is written; maps need bytes that do not move.
    private bool _sharesCache;
    private bool _sharesDisk;
    private bool _isPinned;

    public byte[] Cache { get; private set; } = [];

    public int Length { get; private set; }

    /// <summary>Written through a map: changes are found by comparing.</summary>
    public bool IsMappedForWriting { get; set; }

    public void SetLength(int length)
    {
        Reserve(length);
        Length = length;
    }

    public void Write(ReadOnlySpan<byte> bytes, int position)
    {
        Reserve(Math.Max(Length, position + bytes.Length));
        for (int sector = position / Sector; bytes.Length > 0 && sector <= (position + bytes.Length - 1) / Sector; sector++)
        {
            if (!_versions.TryGetValue(sector, out List<byte[]>? versions))
            {
                _versions[sector] = versions = [];
            }

            if (versions.Count < 4)
            {
                versions.Add(SectorOf(Cache, sector));
            }

            _lost.Remove(sector);
        }

        Own();
        bytes.CopyTo(Cache.AsSpan(position));
        Length = Math.Max(Length, position + bytes.Length);
    }

    public int Read(Span<byte> buffer, int position)
    {
        int length = Math.Min(buffer.Length, Math.Max(0, Length - position));
        Cache.AsSpan(Math.Min(position, Cache.Length), length).CopyTo(buffer);
        return length;
    }

    public void Sync()
    {
        GrowDisk();
        foreach (int sector in Dirty())
        {
            if (!_lost.Contains(sector))
            {
                OwnDisk();
                SectorSpan(Cache, sector).CopyTo(SectorSpan(_disk, sector));
            }
        }

        _diskLength = Length;
        _versions.Clear();
    }

    /// <summary>What Linux does after a failed write-back: the pages count as clean, their content never reached the disk.</summary>
    public void FailSync()
    {
        GrowDisk();
        foreach (int sector in Dirty())
        {
            _lost.Add(sector);
        }

        _versions.Clear();
    }

    public void DropCache()
    {
        GrowDisk();
        Own();
        foreach (int sector in _lost)
        {
            SectorSpan(_disk, sector).CopyTo(SectorSpan(Cache, sector));
        }

        _lost.Clear();
    }

    public void FlipBit(long bit)
    {
        Own();
        Cache[bit / 8] ^= (byte)(1 << (int)(bit % 8));
    }

    /// <summary>A copy of what the running system sees, all of it on the disk.</summary>
    public SimulatedFile CopyAsSynced()
    {
        // Bytes under a map must stay where they are.
        byte[] bytes = _isPinned ? Cache.AsSpan().ToArray() : Cache;
        _sharesCache = !_isPinned;
        return new SimulatedFile { Cache = bytes, _disk = bytes, Length = Length, _diskLength = Length, _sharesCache = true, _sharesDisk = true };
    }

    /// <summary>Cuts the file, on the disk too.</summary>
    public void CutTo(int length)
    {
        byte[] kept = new byte[(length + Sector - 1) / Sector * Sector];
        Cache.AsSpan(0, length).CopyTo(kept);
        Cache = kept;
        Length = length;
        PutOnDisk();
    }

    /// <summary>Damages bytes, on the disk too.</summary>
    public void Damage(Action<byte[]> damage)
    {
        Own();
        damage(Cache);
        PutOnDisk();
    }

    private void PutOnDisk()
    {
        _disk = Cache;
        _diskLength = Length;
        _sharesCache = _sharesDisk = true;
        _isPinned = false;
        _versions.Clear();
        _lost.Clear();
    }

    /// <summary>What the disk may hold after a power cut: each sector that changed since the last sync in one of its versions.</summary>
    public SimulatedFile CrashCopy(PowerCut cut)
    {
        var copy = new SimulatedFile();
        GrowDisk();
        int length = (cut.AlwaysAsks || Length != _diskLength) && cut.Keeps() ? Length : _diskLength;
        if (length == _diskLength && !IsMappedForWriting && _versions.Count == 0)
        {
            _sharesDisk = true;
            return new SimulatedFile { Cache = _disk, _disk = _disk, Length = length, _diskLength = length, _sharesCache = true, _sharesDisk = true };
        }

        copy.SetLength(length);
        _disk.AsSpan(0, Math.Min(length, _disk.Length)).CopyTo(copy.Cache);
        int unit = -1;
        bool keeps = false;
        foreach (int sector in Dirty())
        {
            if (sector * Sector >= length || _lost.Contains(sector))
            {
                continue;
            }

            keeps = sector / cut.SectorsPerUnit == unit ? keeps : cut.Keeps();
            unit = sector / cut.SectorsPerUnit;
            if (!keeps)
            {
                continue;
            }

            ReadOnlySpan<byte> chosen = SectorSpan(Cache, sector);
            if (_versions.TryGetValue(sector, out List<byte[]>? versions) && cut.PickOlder(versions.Count, out int version))
            {
                chosen = versions[version];
            }

            chosen[..Math.Min(Sector, length - (sector * Sector))].CopyTo(copy.Cache.AsSpan(sector * Sector));
        }

        copy.Sync();
        copy.GrowDisk();
        copy.Cache.AsSpan(0, length).CopyTo(copy._disk);
        return copy;
    }

    public unsafe byte* Pointer => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(Cache, 0);

    /// <summary>Before a map is made: bytes of its own that do not move.</summary>
    public void Pin()
    {
        if (_sharesCache || !_isPinned)
        {
            byte[] pinned = GC.AllocateUninitializedArray<byte>(Cache.Length, pinned: true);
            Cache.CopyTo(pinned, 0);
            Cache = pinned;
            _sharesCache = false;
            _isPinned = true;
        }
    }

    private void Own()
    {
        if (_sharesCache)
        {
            Cache = Cache.AsSpan().ToArray();
            _sharesCache = false;
            _isPinned = false;
        }
    }

    private void OwnDisk()
    {
        if (_sharesDisk)
        {
            _disk = _disk.AsSpan().ToArray();
            _sharesDisk = false;
        }
    }

    private static byte[] SectorOf(byte[] bytes, int sector) => SectorSpan(bytes, sector).ToArray();

    private static Span<byte> SectorSpan(byte[] bytes, int sector) => bytes.AsSpan(sector * Sector, Sector);

    private IEnumerable<int> Dirty()
    {
        if (!IsMappedForWriting)
        {
            return _versions.Keys.Order();
        }

        return Enumerable.Range(0, (Length + Sector - 1) / Sector).Where(s => !SectorSpan(Cache, s).SequenceEqual(SectorSpan(_disk, s)));
    }

    private void Reserve(int length)
    {
        if (Cache.Length < length)
        {
            int size = (Math.Max(length, Cache.Length * 2) + Sector - 1) / Sector * Sector;
            byte[] larger = _isPinned ? GC.AllocateArray<byte>(size, pinned: true) : new byte[size];
            Cache.CopyTo(larger, 0);
            Cache = larger;
            _sharesCache = false;
        }
    }

    private void GrowDisk()
    {
        if (_disk.Length < Cache.Length)
        {
            Array.Resize(ref _disk, Cache.Length);
            _sharesDisk = false;
        }
    }
}
