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
        foreach (int sector in _lost)
        {
            SectorSpan(_disk, sector).CopyTo(SectorSpan(Cache, sector));
        }

        _lost.Clear();
    }

    public void FlipBit(long bit) => Cache[bit / 8] ^= (byte)(1 << (int)(bit % 8));

    /// <summary>What the disk may hold after a power cut: each sector that changed since the last sync in one of its versions.</summary>
    public SimulatedFile CrashCopy(Random random, double survival)
    {
        var copy = new SimulatedFile();
        GrowDisk();
        int length = random.NextDouble() < survival ? Length : _diskLength;
        copy.SetLength(length);
        _disk.AsSpan(0, Math.Min(length, _disk.Length)).CopyTo(copy.Cache);
        foreach (int sector in Dirty())
        {
            if (sector * Sector >= length || _lost.Contains(sector) || random.NextDouble() >= survival)
            {
                continue;
            }

            ReadOnlySpan<byte> chosen = SectorSpan(Cache, sector);
            if (_versions.TryGetValue(sector, out List<byte[]>? versions) && random.Next(4) == 0)
            {
                chosen = versions[random.Next(versions.Count)];
            }

            chosen[..Math.Min(Sector, length - (sector * Sector))].CopyTo(copy.Cache.AsSpan(sector * Sector));
        }

        copy.Sync();
        copy.GrowDisk();
        copy.Cache.AsSpan(0, length).CopyTo(copy._disk);
        return copy;
    }

    public unsafe byte* Pointer => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(Cache, 0);

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
            byte[] larger = GC.AllocateArray<byte>(size, pinned: true);
            Cache.CopyTo(larger, 0);
            Cache = larger;
        }
    }

    private void GrowDisk()
    {
        if (_disk.Length < Cache.Length)
        {
            Array.Resize(ref _disk, Cache.Length);
        }
    }
}
