using System.Buffers.Binary;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Fuzz;

/// <summary>
/// Changes legal frames. Checksums and lengths are put right again in most cases, so that the damage reaches the code behind them; in the
/// others the check itself is what is tried. The same seed gives the same frames.
/// </summary>
internal sealed class FrameMutator(Random random)
{
    private static readonly uint[] Interesting = [0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x10001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF];

    public byte[] Mutate(byte[] frame, byte[] other)
    {
        for (int changes = 1 + random.Next(3); changes > 0; changes--)
        {
            frame = Change(frame, other);
        }

        Repair(frame);
        return frame;
    }

    private byte[] Change(byte[] frame, byte[] other)
    {
        if (frame.Length == 0)
        {
            return other;
        }

        int at = random.Next(frame.Length);
        switch (random.Next(11))
        {
            case 0:
                frame[at] ^= (byte)(1 << random.Next(8));
                return frame;
            case 1:
                frame[at] = (byte)Interesting[random.Next(7)];
                return frame;
            case 2:
            case 3:
                at &= ~3;
                if (at + 4 <= frame.Length)
                {
                    BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(at), Interesting[random.Next(Interesting.Length)]);
                }

                return frame;
            case 4:
                // A field of the header: the first 128 bytes are where the decisions are.
                at = 4 * random.Next(Math.Min(32, frame.Length / 4) + 1);
                if (at + 4 <= frame.Length)
                {
                    BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(at), (uint)random.NextInt64(1L << 32));
                }

                return frame;
            case 5:
                return frame[..at];
            case 6:
                byte[] more = new byte[random.Next(64)];
                random.NextBytes(more);
                return [.. frame, .. more];
            case 7:
                return [.. frame[..at], .. frame[Math.Min(frame.Length, at + random.Next(32))..]];
            case 8:
                return [.. frame[..at], .. frame[Math.Max(0, at - random.Next(32))..]];
            case 9:
                return [.. frame[..at], .. other[Math.Min(at, other.Length)..]];
            default:
                random.NextBytes(frame.AsSpan(at, Math.Min(random.Next(16), frame.Length - at)));
                return frame;
        }
    }

    private void Repair(byte[] frame)
    {
        if (frame.Length < ProtocolLimits.HeaderSize || random.Next(10) == 0)
        {
            return;
        }

        frame[0] = 0x56;
        frame[1] = 0x32;
        bool isStream = frame[2] == 2;
        int payload = frame.Length - ProtocolLimits.HeaderSize;
        if (random.Next(10) > 0)
        {
            // Cut to whole units of 8, as if the last bytes were the padding.
            uint length = BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(8));
            bool fits = isStream ? ProtocolLimits.HeaderSize + ((length + 7L) & ~7L) == frame.Length : length == payload;
            if (!fits)
            {
                BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(8), (uint)payload);
            }
        }

        if (isStream && random.Next(12) > 0)
        {
            uint length = Math.Min(BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(8)), (uint)payload);
            if (random.Next(3) > 0)
            {
                StreamHeaderWriter.SealContent(frame, frame.AsSpan(ProtocolLimits.HeaderSize, (int)length));
            }

            StreamHeaderWriter.SealHeader(frame);
        }
    }
}
