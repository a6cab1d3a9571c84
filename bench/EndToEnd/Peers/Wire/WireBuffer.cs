using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace Danube.Fast.Bench.Peers.Wire;

/// <summary>Bytes that are about to be sent, reused from batch to batch. Runs on: one thread.</summary>
internal sealed class WireBuffer(int capacity = 128 * 1024)
{
    private const int LongestNumber = 20;

    private byte[] _bytes = new byte[capacity];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    /// <summary>The next <paramref name="count"/> bytes, to be filled in by the caller.</summary>
    public Span<byte> Take(int count)
    {
        if (Length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));
        }

        Span<byte> result = _bytes.AsSpan(Length, count);
        Length += count;
        return result;
    }

    /// <summary>Bytes written before, for a length or a count that is known only now.</summary>
    public Span<byte> At(int offset, int count) => _bytes.AsSpan(offset, count);

    public void Write(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    public void WriteText(string text) => Write(Encoding.UTF8.GetBytes(text));

    public void WriteByte(byte value) => Take(1)[0] = value;

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);

    public void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Take(8), value);

    /// <summary>A number in decimal digits.</summary>
    public void WriteNumber(long value)
    {
        Span<byte> digits = Take(LongestNumber);
        _ = Utf8Formatter.TryFormat(value, digits, out int used);
        Length -= LongestNumber - used;
    }
}
