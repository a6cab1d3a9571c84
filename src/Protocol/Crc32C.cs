using System.Buffers.Binary;
using System.Numerics;

namespace Danube.Fast.Protocol;

/// <summary>CRC32C (Castagnoli), reflected, initial and final value all ones: <c>"123456789"</c> gives 0xE3069283.</summary>
public static class Crc32C
{
    /// <summary>State to start with when a checksum is computed in parts.</summary>
    public const uint Seed = 0xFFFFFFFF;

    /// <summary>The checksum of <paramref name="data"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => Finish(Update(Seed, data));

    /// <summary>Continues <paramref name="state"/> over <paramref name="data"/>.</summary>
    public static uint Update(uint state, ReadOnlySpan<byte> data)
    {
        while (data.Length >= 8)
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[8..];
        }

        foreach (byte b in data)
        {
            state = BitOperations.Crc32C(state, b);
        }

        return state;
    }

    /// <summary>The checksum of a finished state.</summary>
    public static uint Finish(uint state) => ~state;
}
