using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Danube.Fast.Protocol;

/// <summary>
/// CRC32C (Castagnoli), reflected, initial and final value all ones: <c>"123456789"</c> gives 0xE3069283. Thread-safe, allocates nothing.
/// </summary>
/// <remarks>
/// The processor's crc instruction takes one word per cycle but answers after three, so one chain of it runs at a third of its speed. On
/// x86-64 the data is cut into three lanes of equal length whose chains run side by side. A lane's crc moves over the n bytes
/// behind it by a multiplication with x^(8n) modulo the polynomial: a carry-less product with x^(8n-33), which the crc
/// instruction reduces (the product of two reflected numbers has one factor x too few, the instruction multiplies with x^32).
/// Elsewhere one chain of <see cref="BitOperations.Crc32C(uint, ulong)"/> does it all.
/// </remarks>
public static class Crc32C
{
    /// <summary>State to start with when a checksum is computed in parts.</summary>
    public const uint Seed = 0xFFFFFFFF;

    // x^(8n-33) mod P for n = one lane and n = two lanes. The smallest lane fits the 124 checked bytes of a header.
    private const int SmallLane = 40, MiddleLane = 256, LargeLane = 2048;

    /// <summary>The checksum of <paramref name="data"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => Finish(Update(Seed, data));

    /// <summary>Continues <paramref name="state"/> over <paramref name="data"/>.</summary>
    public static uint Update(uint state, ReadOnlySpan<byte> data)
    {
        ref byte at = ref MemoryMarshal.GetReference(data);
        int left = data.Length;
        if (Pclmulqdq.IsSupported && left >= 3 * SmallLane)
        {
            state = UpdateLanes(state, ref at, left, out int used);
            at = ref Unsafe.Add(ref at, used);
            left -= used;
        }

        return UpdateChain(state, ref at, left);
    }

    /// <summary>The checksum of a finished state.</summary>
    public static uint Finish(uint state) => ~state;

    private static uint UpdateLanes(uint state, ref byte start, int length, out int used)
    {
        int at = 0;
        for (; length - at >= 3 * LargeLane; at += 3 * LargeLane)
        {
            state = ThreeLanes(state, ref Unsafe.Add(ref start, at), LargeLane, 0xA51B6135, 0x82F89C77);
        }

        for (; length - at >= 3 * MiddleLane; at += 3 * MiddleLane)
        {
            state = ThreeLanes(state, ref Unsafe.Add(ref start, at), MiddleLane, 0xB9E02B86, 0xDD7E3B0C);
        }

        for (; length - at >= 3 * SmallLane; at += 3 * SmallLane)
        {
            state = ThreeLanes(state, ref Unsafe.Add(ref start, at), SmallLane, 0x3DA6D0CB, 0x39D3B296);
        }

        used = at;
        return state;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint ThreeLanes(uint a, ref byte start, int lane, uint moveOne, uint moveTwo)
    {
        uint b = 0, c = 0;
        ref byte second = ref Unsafe.Add(ref start, lane);
        ref byte third = ref Unsafe.Add(ref start, 2 * lane);
        for (nint i = 0; i < lane; i += 8)
        {
            a = BitOperations.Crc32C(a, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i)));
            b = BitOperations.Crc32C(b, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref second, i)));
            c = BitOperations.Crc32C(c, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref third, i)));
        }

        Vector128<ulong> moved = Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar((ulong)a), Vector128.CreateScalar((ulong)moveTwo), 0)
            ^ Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar((ulong)b), Vector128.CreateScalar((ulong)moveOne), 0);
        return BitOperations.Crc32C(0, moved.ToScalar()) ^ c;
    }

    private static uint UpdateChain(uint state, ref byte at, int left)
    {
        for (; left >= 8; left -= 8, at = ref Unsafe.Add(ref at, 8))
        {
            state = BitOperations.Crc32C(state, LittleEndian(Unsafe.ReadUnaligned<ulong>(ref at)));
        }

        if (left >= 4)
        {
            uint word = Unsafe.ReadUnaligned<uint>(ref at);
            state = BitOperations.Crc32C(state, BitConverter.IsLittleEndian ? word : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word));
            at = ref Unsafe.Add(ref at, 4);
            left -= 4;
        }

        for (; left > 0; left--, at = ref Unsafe.Add(ref at, 1))
        {
            state = BitOperations.Crc32C(state, at);
        }

        return state;
    }

    private static ulong LittleEndian(ulong word) =>
        BitConverter.IsLittleEndian ? word : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word);
}
