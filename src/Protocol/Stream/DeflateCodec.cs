using System.IO.Compression;

namespace Danube.Fast.Protocol;

/// <summary>Raw DEFLATE over spans. The runtime only offers it as a stream.</summary>
internal static class DeflateCodec
{
    public static unsafe bool TryCompress(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        fixed (byte* start = destination)
        {
            using var target = new FixedTarget(start, destination.Length);
            using (var deflate = new DeflateStream(target, CompressionLevel.Fastest, leaveOpen: true))
            {
                deflate.Write(source);
            }

            written = target.Written;
            return !target.Overflowed;
        }
    }

    public static unsafe bool TryDecompress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (source.IsEmpty)
        {
            return false;
        }

        fixed (byte* start = source)
        {
            using var input = new UnmanagedMemoryStream(start, source.Length);
            using var inflate = new DeflateStream(input, CompressionMode.Decompress);
            try
            {
                return inflate.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false) == destination.Length && inflate.ReadByte() < 0;
            }
            catch (InvalidDataException)
            {
                return false;
            }
        }
    }

    /// <summary>Writes into fixed memory; remembers instead of throwing when it is full, because data that does not compress is nothing exceptional.</summary>
    private sealed unsafe class FixedTarget(byte* start, int capacity) : Stream
    {
        public int Written { get; private set; }
        public bool Overflowed { get; private set; }
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Overflowed |= buffer.Length > capacity - Written;
            if (!Overflowed)
            {
                buffer.CopyTo(new Span<byte>(start + Written, capacity - Written));
                Written += buffer.Length;
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
