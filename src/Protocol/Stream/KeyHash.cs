using System.Security.Cryptography;
using System.Text;

namespace Danube.Fast.Protocol;

/// <summary>Numbers that every client computes alike. Source: wire protocol, "Numbers that every client computes alike".</summary>
public static class KeyHash
{
    /// <summary>FNV-1a 64 over the key, then MurmurHash3's 64-bit finaliser.</summary>
    public static ulong Compute(ReadOnlySpan<byte> key)
    {
        ulong hash = 14695981039346656037UL;
        foreach (byte b in key)
        {
            hash = (hash ^ b) * 1099511628211UL;
        }

        return Mix(hash);
    }

    /// <summary>MurmurHash3's 64-bit finaliser: every bit of the result depends on every bit of <paramref name="value"/>.</summary>
    public static ulong Mix(ulong value)
    {
        value ^= value >> 33;
        value *= 0xFF51AFD7ED558CCDUL;
        value ^= value >> 33;
        value *= 0xC4CEB9FE1A85EC53UL;
        return value ^ (value >> 33);
    }

    /// <summary>The partition of a key hash among <paramref name="partitions"/> (1 or more).</summary>
    public static int Partition(ulong hash, int partitions) => (int)(((hash >> 32) * (ulong)partitions) >> 32);

    /// <summary>First 8 bytes, big-endian, of SHA-256 of the producer name in UTF-8.</summary>
    public static ulong ProducerId(string producerName)
    {
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(producerName), digest);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(digest);
    }
}
