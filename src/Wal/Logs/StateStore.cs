using System.Buffers.Binary;

namespace Danube.Fast.Wal;

/// <summary>
/// The records of the cursor log: 'C' topic id, subscription name = cursor; 'L' topic id = <see cref="LogState"/>; 'P' topic id = poison
/// marker (i64 durable end); 'E' = incarnation (u64) that stopped in order, the last record of its file then. Topic ids are u64 big-endian. Runs on: any thread.
/// </summary>
internal sealed class StateStore(RecordLog records)
{
    private const byte CursorKind = (byte)'C', LogKind = (byte)'L', PoisonKind = (byte)'P', EndKind = (byte)'E';
    private const int PrefixSize = 9;

    public RecordLog Records => records;

    public static byte[] CursorKey(ulong topicId, string subscription)
    {
        var key = new byte[PrefixSize + System.Text.Encoding.UTF8.GetByteCount(subscription)];
        WritePrefix(key, CursorKind, topicId);
        System.Text.Encoding.UTF8.GetBytes(subscription, key.AsSpan(PrefixSize));
        return key;
    }

    public bool TryGetLog(ulong topicId, out LogState state)
    {
        Span<byte> key = stackalloc byte[PrefixSize];
        WritePrefix(key, LogKind, topicId);
        state = default;
        return records.Get(key) is { } value && LogState.TryRead(value, out state);
    }

    /// <summary>Segments of lower generations belong to a former log of the same id; 0: there was none.</summary>
    public uint FirstGenerationOf(ulong topicId) => TryGetLog(topicId, out LogState state) ? state.FirstGeneration : 0;

    /// <summary>The highest generation that a record of a log names; 0: none does.</summary>
    public uint HighestGeneration
    {
        get
        {
            uint highest = 0;
            foreach ((byte[] key, byte[] value) in records.Entries)
            {
                if (key[0] == LogKind && LogState.TryRead(value, out LogState state))
                {
                    highest = Math.Max(highest, Math.Max(state.Generation, state.FirstGeneration));
                }
            }

            return highest;
        }
    }

    public void PutLog(ulong topicId, in LogState state)
    {
        Span<byte> key = stackalloc byte[PrefixSize];
        WritePrefix(key, LogKind, topicId);
        Span<byte> value = stackalloc byte[LogState.Size];
        state.Write(value);
        records.Append(key, value);
    }

    /// <summary>Durable end of a poisoned log, or null.</summary>
    public long? GetPoison(ulong topicId)
    {
        Span<byte> key = stackalloc byte[PrefixSize];
        WritePrefix(key, PoisonKind, topicId);
        return records.Get(key) is { Length: >= 8 } value ? BinaryPrimitives.ReadInt64BigEndian(value) : null;
    }

    public void PutPoison(ulong topicId, long durableEnd)
    {
        Span<byte> key = stackalloc byte[PrefixSize];
        WritePrefix(key, PoisonKind, topicId);
        Span<byte> value = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(value, durableEnd);
        records.Append(key, value);
    }

    public void RemovePoison(ulong topicId)
    {
        Span<byte> key = stackalloc byte[PrefixSize];
        WritePrefix(key, PoisonKind, topicId);
        records.Remove(key);
    }

    /// <summary>Incarnation of the last orderly stop that this file has the end of; null when there is none.</summary>
    public ulong? StoppedIncarnation => records.Get([EndKind]) is { Length: 8 } value ? BinaryPrimitives.ReadUInt64BigEndian(value) : null;

    /// <summary>The last record of an orderly stop: a file without it has lost its end.</summary>
    public void PutStop(ulong incarnation)
    {
        Span<byte> value = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(value, incarnation);
        records.Append([EndKind], value);
    }

    public void RemoveCursors(ulong topicId)
    {
        Span<byte> key = stackalloc byte[PrefixSize];
        WritePrefix(key, CursorKind, topicId);
        records.RemovePrefix(key);
    }

    /// <summary>Forgets a deleted log.</summary>
    public void RemoveLog(ulong topicId)
    {
        RemoveCursors(topicId);
        RemovePoison(topicId);
        Span<byte> key = stackalloc byte[PrefixSize];
        WritePrefix(key, LogKind, topicId);
        records.Remove(key);
    }

    /// <summary>After an unclean stop no log counts as closed cleanly, whether it was open or not.</summary>
    public void ForgetCleanStops()
    {
        foreach ((byte[] key, byte[] value) in records.Entries)
        {
            if (key[0] == LogKind && LogState.TryRead(value, out LogState state) && state.IsClean)
            {
                (state with { IsClean = false }).Write(value);
                records.Append(key, value);
            }
        }
    }

    private static void WritePrefix(Span<byte> key, byte kind, ulong topicId)
    {
        key[0] = kind;
        BinaryPrimitives.WriteUInt64BigEndian(key[1..], topicId);
    }
}
