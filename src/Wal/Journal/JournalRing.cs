using System.Buffers.Binary;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>
/// The file of the commit journal: a head of 4 KiB, then the ring. Place of an LSN = LSN mod capacity. Head, big-endian: u32 magic "DFJR",
/// u16 version 1, u16 0, i64 capacity, u64 first LSN, zeros, u32 CRC32C of bytes 0-4091. Direct I/O where the system has it: all positions and lengths are multiples
/// of 4,096. Runs on: one writer at a time (the journal's write lock); the allocator thread writes ahead.
/// </summary>
internal sealed class JournalRing : IDisposable
{
    public const int Block = AlignedBuffer.Alignment;

    private const uint Magic = 0x44464A52;
    private const ushort Version = 1;
    private const int CrcAt = Block - 4;

    private readonly WalFile _file;

    private JournalRing(WalFile file, long capacity, ulong firstLsn, bool isDamaged)
    {
        _file = file;
        Capacity = capacity;
        FirstLsn = firstLsn;
        IsDamaged = isDamaged;
        file.UseDirectIo();
    }

    /// <summary>Bytes of the ring; a multiple of 4,096.</summary>
    public long Capacity { get; }

    /// <summary>LSN of the first entry that this file ever held.</summary>
    public ulong FirstLsn { get; }

    /// <summary>
    /// The head could not be read (the capacity is taken from the length of the file), or the file is shorter than it says (what is missing reads as
    /// zeros). It may be read, and must be made anew.
    /// </summary>
    public bool IsDamaged { get; }

    /// <summary>Opens an existing ring; null when the file is too short to hold one.</summary>
    public static JournalRing? TryOpen(string path, WalFileSystem files)
    {
        WalFile file = files.Open(path);
        using var head = new AlignedBuffer(Block);
        if (file.Read(head.Span, 0) == Block && TryReadHead(head.Span, out long capacity, out ulong firstLsn))
        {
            return new JournalRing(file, capacity, firstLsn, isDamaged: file.Length < Block + capacity);
        }

        long rest = (file.Length - Block) & -Block;
        if (rest > 0)
        {
            return new JournalRing(file, rest, 0, isDamaged: true);
        }

        file.Dispose();
        return null;
    }

    /// <summary>Makes a new ring; an old one is replaced. Its name is durable when this returns.</summary>
    /// <exception cref="DiskFullException">There is no room.</exception>
    public static JournalRing Create(string path, WalFileSystem files, long capacity, ulong firstLsn)
    {
        string temporary = path + ".tmp";
        files.Unlink(temporary);
        WalFile file = files.CreateAllocated(temporary, Block + capacity);
        try
        {
            using var head = new AlignedBuffer(Block);
            WriteHead(head.Span, capacity, firstLsn);
            file.Write(head.Span, 0);
            file.DataSync();
            files.Rename(temporary, path);
            files.SyncDirectory(System.IO.Path.GetDirectoryName(path)!);
            return new JournalRing(file, capacity, firstLsn, isDamaged: false);
        }
        catch
        {
            file.Dispose();
            files.Unlink(temporary);
            throw;
        }
    }

    /// <summary>Reads the head of a ring; false when it is not one or is damaged.</summary>
    public static bool TryReadHead(ReadOnlySpan<byte> head, out long capacity, out ulong firstLsn)
    {
        capacity = 0;
        firstLsn = 0;
        if (head.Length < Block || BinaryPrimitives.ReadUInt32BigEndian(head) != Magic || BinaryPrimitives.ReadUInt16BigEndian(head[4..]) != Version
            || BinaryPrimitives.ReadUInt32BigEndian(head[CrcAt..]) != Crc32C.Compute(head[..CrcAt]))
        {
            return false;
        }

        capacity = BinaryPrimitives.ReadInt64BigEndian(head[8..]);
        firstLsn = BinaryPrimitives.ReadUInt64BigEndian(head[16..]);
        return capacity > 0 && capacity % Block == 0;
    }

    /// <summary>Writes whole blocks; two writes where the ring ends.</summary>
    public void Write(ReadOnlySpan<byte> blocks, ulong lsn)
    {
        long place = Place(lsn);
        int first = (int)Math.Min(blocks.Length, Capacity - place);
        _file.Write(blocks[..first], Block + place);
        if (first < blocks.Length)
        {
            _file.Write(blocks[first..], Block);
        }
    }

    /// <summary>Reads whole blocks; what cannot be read at all is an error.</summary>
    public void Read(Span<byte> blocks, ulong lsn)
    {
        long place = Place(lsn);
        int first = (int)Math.Min(blocks.Length, Capacity - place);
        ReadExactly(blocks[..first], Block + place);
        ReadExactly(blocks[first..], Block);
    }

    /// <summary>Everything written is on the disk when this returns.</summary>
    public void Sync() => _file.DataSync();

    public void Dispose() => _file.Dispose();

    private long Place(ulong lsn) => (long)(lsn % (ulong)Capacity);

    private void ReadExactly(Span<byte> blocks, long position)
    {
        int read = blocks.Length > 0 ? _file.Read(blocks, position) : 0;
        if (read < blocks.Length && !IsDamaged)
        {
            throw new IOException($"{_file.Path} is shorter than its head says.");
        }

        blocks[read..].Clear();
    }

    private static void WriteHead(Span<byte> head, long capacity, ulong firstLsn)
    {
        head.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(head, Magic);
        BinaryPrimitives.WriteUInt16BigEndian(head[4..], Version);
        BinaryPrimitives.WriteInt64BigEndian(head[8..], capacity);
        BinaryPrimitives.WriteUInt64BigEndian(head[16..], firstLsn);
        BinaryPrimitives.WriteUInt32BigEndian(head[CrcAt..], Crc32C.Compute(head[..CrcAt]));
    }
}
