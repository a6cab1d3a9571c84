using System.Buffers.Binary;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Audit;

/// <summary>What a message of a load test says about itself.</summary>
/// <param name="Lane">Index of the lane it was sent on.</param>
/// <param name="Number">Its number in the lane, from 0 without gaps.</param>
/// <param name="IntendedMicros">When it was due to be sent, microseconds since the auditor was made.</param>
public readonly record struct AuditedMessage(ushort Lane, uint Number, long IntendedMicros)
{
    /// <summary>Smallest payload, bytes.</summary>
    public const int MinSize = 16;

    /// <summary>
    /// Writes big endian: u32 CRC32C of the rest with the run's salt, u16 lane, u32 number, u48 intended time, filler derived from lane and number. What does
    /// not look like this, byte for byte, was never sent by this run.
    /// </summary>
    public static void Write(Span<byte> payload, uint salt, AuditedMessage message)
    {
        BinaryPrimitives.WriteUInt16BigEndian(payload[4..], message.Lane);
        BinaryPrimitives.WriteUInt32BigEndian(payload[6..], message.Number);
        BinaryPrimitives.WriteUInt16BigEndian(payload[10..], (ushort)(message.IntendedMicros >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(payload[12..], (uint)message.IntendedMicros);
        payload[MinSize..].Fill((byte)(message.Number + (uint)message.Lane));
        BinaryPrimitives.WriteUInt32BigEndian(payload, Checksum(payload, salt));
    }

    /// <summary>False when the bytes are not a message of this run.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, uint salt, out AuditedMessage message)
    {
        message = default;
        if (payload.Length < MinSize || BinaryPrimitives.ReadUInt32BigEndian(payload) != Checksum(payload, salt))
        {
            return false;
        }

        long micros = ((long)BinaryPrimitives.ReadUInt16BigEndian(payload[10..]) << 32) | BinaryPrimitives.ReadUInt32BigEndian(payload[12..]);
        message = new AuditedMessage(BinaryPrimitives.ReadUInt16BigEndian(payload[4..]), BinaryPrimitives.ReadUInt32BigEndian(payload[6..]), micros);
        return true;
    }

    // The length goes in too: filler of one value would hide that a part of it is missing only from a weaker checksum, but it costs nothing.
    private static uint Checksum(ReadOnlySpan<byte> payload, uint salt) => Crc32C.Compute(payload[4..]) ^ salt ^ (uint)payload.Length;
}
