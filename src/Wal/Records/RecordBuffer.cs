namespace Danube.Fast.Wal;

/// <summary>A growing byte buffer that is filled, written out and used again.</summary>
internal sealed class RecordBuffer
{
    private byte[] _bytes = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>The next <paramref name="length"/> bytes to fill.</summary>
    public Span<byte> Take(int length)
    {
        if (_bytes.Length - Length < length)
        {
            Array.Resize(ref _bytes, Math.Max(Math.Max(4096, _bytes.Length * 2), Length + length));
        }

        Length += length;
        return _bytes.AsSpan(Length - length, length);
    }

    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > 1024 * 1024)
        {
            _bytes = [];
        }
    }
}
