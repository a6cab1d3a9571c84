using System.Buffers;
using System.IO.Compression;

namespace Danube.Fast.Protocol;

/// <summary>
/// Compression of the packed records of a frame as a whole, at the fastest level of each codec (docs/decisions/0001-compression-codec.md).
/// The broker never uses it: producers pack, consumers unpack. Thread-safe; Brotli allocates nothing, Deflate about 300 bytes per call.
/// </summary>
public static class Compression
{
    /// <summary>The codec to use when compression is asked for and nothing else is said.</summary>
    public const Codec Default = Codec.Brotli;

    private const int BrotliQuality = 0, BrotliWindowBits = 22;

    /// <summary>What a HELLO offers, the preferred one first.</summary>
    public static IReadOnlyList<string> Names { get; } = ["brotli", "deflate"];

    /// <summary>Name of a codec in HELLO; <c>none</c> for <see cref="Codec.None"/>.</summary>
    public static string Name(Codec codec) => codec switch
    {
        Codec.Brotli => "brotli",
        Codec.Deflate => "deflate",
        _ => "none",
    };

    /// <summary>The codec of a HELLO name. False for names of a newer peer.</summary>
    public static bool TryParse(string? name, out Codec codec)
    {
        codec = name switch
        {
            "brotli" => Codec.Brotli,
            "deflate" => Codec.Deflate,
            _ => Codec.None,
        };
        return codec != Codec.None || name == "none";
    }

    /// <summary>Compresses into <paramref name="destination"/>. False when the result does not fit: then send the records as they are.</summary>
    public static bool TryCompress(Codec codec, ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        switch (codec)
        {
            case Codec.Brotli:
                return BrotliEncoder.TryCompress(source, destination, out written, BrotliQuality, BrotliWindowBits);
            case Codec.Deflate:
                return DeflateCodec.TryCompress(source, destination, out written);
            default:
                written = 0;
                return false;
        }
    }

    /// <summary>
    /// Decompresses. True only when the result has exactly the length of <paramref name="destination"/>; what is longer is never
    /// produced, so a hostile payload costs no more memory than the caller gave.
    /// </summary>
    public static bool TryDecompress(Codec codec, ReadOnlySpan<byte> source, Span<byte> destination) => codec switch
    {
        Codec.Brotli => BrotliDecoder.TryDecompress(source, destination, out int written) && written == destination.Length,
        Codec.Deflate => DeflateCodec.TryDecompress(source, destination),
        _ => false,
    };

    /// <summary>
    /// The packed records of a frame: its payload when it is not compressed, else decompressed into <paramref name="scratch"/>, which is
    /// rented from the shared pool (and exchanged for a larger one) when needed and stays the caller's to return.
    /// </summary>
    /// <param name="frame">A frame whose CRCs are good.</param>
    /// <param name="maxRawLength">Limit of the length before compression, checked before anything is rented.</param>
    /// <param name="scratch">Reused from call to call; null to begin with.</param>
    /// <param name="records">Valid until the next call with the same scratch. A bare frame's message, otherwise packed records.</param>
    /// <returns>False: the frame is <see cref="ErrorCode.Undecodable"/>.</returns>
    public static bool TryUnpack(StoredFrame frame, int maxRawLength, ref byte[]? scratch, out ReadOnlySpan<byte> records)
    {
        StreamHeader header = frame.Header;
        uint raw = header.RawLength;
        records = default;
        if (raw > (uint)maxRawLength)
        {
            return false;
        }

        if (header.Codec == Codec.None)
        {
            records = frame.Payload;
            return raw == header.PayloadLength;
        }

        if (scratch is null || scratch.Length < raw)
        {
            if (scratch is not null)
            {
                ArrayPool<byte>.Shared.Return(scratch);
            }

            scratch = ArrayPool<byte>.Shared.Rent((int)raw);
        }

        Span<byte> target = scratch.AsSpan(0, (int)raw);
        records = target;
        return TryDecompress(header.Codec, frame.Payload, target);
    }
}
