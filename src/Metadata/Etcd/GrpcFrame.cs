using System.Buffers.Binary;
using Google.Protobuf;

namespace Danube.Fast.Metadata.Etcd;

/// <summary>gRPC's frame around a message: a byte that says "not compressed", four bytes of length (big-endian), the message.</summary>
internal static class GrpcFrame
{
    private const int HeaderBytes = 5;

    // etcd's answers have no limit of their own; what is above this is not one of its frames.
    private const int MaxMessageBytes = 512 * 1024 * 1024;

    public static byte[] Encode(IMessage message)
    {
        int size = message.CalculateSize();
        var frame = new byte[HeaderBytes + size];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), size);
        message.WriteTo(frame.AsSpan(HeaderBytes));
        return frame;
    }

    /// <summary>The next message, or null at the end of the stream.</summary>
    /// <exception cref="GrpcException">The bytes are no frame, or the stream ends inside one.</exception>
    public static async ValueTask<T?> ReadAsync<T>(Stream stream, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        var header = new byte[HeaderBytes];
        int read = await stream.ReadAtLeastAsync(header, HeaderBytes, throwOnEndOfStream: false, cancellationToken);
        if (read == 0)
        {
            return null;
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(1));
        if (read < HeaderBytes || header[0] != 0 || length > MaxMessageBytes)
        {
            throw new GrpcException(GrpcCode.Unknown, "The answer is not one of gRPC.");
        }

        var message = new byte[length];
        if (await stream.ReadAtLeastAsync(message, message.Length, throwOnEndOfStream: false, cancellationToken) < message.Length)
        {
            throw new GrpcException(GrpcCode.Unavailable, "The connection ended inside an answer.");
        }

        try
        {
            return parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new GrpcException(GrpcCode.Unknown, "The answer cannot be understood: " + e.Message, inner: e);
        }
    }
}
