using System.Buffers.Binary;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Metadata;

/// <summary>Append-only file of key-value records: crc (4), key length (4, high bit = removed), value length (4), key, value.</summary>
internal sealed class MetadataFile : IDisposable
{
    private const uint Removed = 0x8000_0000;
    private readonly FileStream _stream;
    private readonly Dictionary<string, (byte[] Key, byte[] Value)> _live = [];

    private MetadataFile(FileStream stream) => _stream = stream;

    public IEnumerable<(byte[] Key, byte[] Value)> Entries => _live.Values;

    public static MetadataFile Open(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var file = new MetadataFile(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read));
        file.Replay();
        return file;
    }

    public void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Write(key, value, 0);

    public void Remove(ReadOnlySpan<byte> key) => Write(key, default, Removed);

    public void Sync() => _stream.Flush(flushToDisk: true);

    public void Dispose() => _stream.Dispose();

    private void Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, uint flags)
    {
        var record = new byte[12 + key.Length + value.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), (uint)key.Length | flags);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(8), value.Length);
        key.CopyTo(record.AsSpan(12));
        value.CopyTo(record.AsSpan(12 + key.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(record, Crc32C.Compute(record.AsSpan(4)));
        _stream.Write(record);
    }

    private void Replay()
    {
        var bytes = new byte[_stream.Length];
        _stream.ReadExactly(bytes);
        int at = 0;
        while (bytes.Length - at >= 12)
        {
            uint keyLength = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 4));
            long length = 12L + (keyLength & ~Removed) + BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 8));
            if (length > bytes.Length - at
                || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at)) != Crc32C.Compute(bytes.AsSpan(at + 4, (int)length - 4)))
            {
                break;
            }

            byte[] key = bytes.AsSpan(at + 12, (int)(keyLength & ~Removed)).ToArray();
            string name = Encoding.Latin1.GetString(key);
            if ((keyLength & Removed) != 0)
            {
                _live.Remove(name);
            }
            else
            {
                _live[name] = (key, bytes.AsSpan(at + 12 + key.Length, (int)length - 12 - key.Length).ToArray());
            }

            at += (int)length;
        }

        _stream.SetLength(at);
        _stream.Position = at;
    }
}
