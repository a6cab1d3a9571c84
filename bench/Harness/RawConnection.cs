using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.Harness;

/// <summary>
/// A blocking connection that speaks the protocol frame by frame: for tests and tools that must send what the client library never would.
/// Not for hot paths. Runs on: one thread.
/// </summary>
public sealed class RawConnection : IDisposable
{
    private byte[] _buffer = new byte[256 * 1024];
    private int _have;
    private int _taken;
    private int _correlation;

    /// <param name="address">host:port.</param>
    /// <param name="timeout">Hang guard of every send and receive.</param>
    public RawConnection(string address, TimeSpan? timeout = null)
    {
        int milliseconds = (int)(timeout ?? TimeSpan.FromSeconds(60)).TotalMilliseconds;
        Socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = milliseconds, SendTimeout = milliseconds };
        Socket.Connect(IPEndPoint.Parse(address));
    }

    public Socket Socket { get; }

    /// <summary>Opens a connection and says HELLO.</summary>
    public static RawConnection Open(string address, TimeSpan? timeout = null)
    {
        var connection = new RawConnection(address, timeout);
        connection.Send(Hello());
        ReadOnlySpan<byte> reply = connection.ReadFrame();
        if (reply.IsEmpty || reply[4] != (byte)FrameType.Event)
        {
            throw new InvalidOperationException("HELLO was not answered with $hello: " + Describe(reply));
        }

        return connection;
    }

    /// <summary>The bytes of a HELLO frame.</summary>
    public static byte[] Hello() => EnvelopeCodec.Encode(
        new Envelope { Type = FrameType.Event, Id = Commands.Hello, Payload = JsonSerializer.SerializeToUtf8Bytes(new HelloPayload { ClientName = "raw" }, ControlJson.Default.HelloPayload) },
        PayloadEncoding.Json);

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[Socket.Send(bytes)..];
        }
    }

    /// <summary>Sends a request and returns the response or error frame that carries its correlation id; other frames are dropped.</summary>
    public Envelope Request<T>(string command, T body, JsonTypeInfo<T> type)
    {
        string id = "r" + ++_correlation;
        Send(EnvelopeCodec.Encode(
            new Envelope { Type = FrameType.Request, Id = command, CorrelationId = id, Payload = JsonSerializer.SerializeToUtf8Bytes(body, type) }, PayloadEncoding.Json));
        while (true)
        {
            Envelope? answer = Decode(ReadFrame());
            if (answer is null)
            {
                throw new EndOfStreamException("The broker closed the connection instead of answering " + command + ".");
            }

            if (answer.CorrelationId == id)
            {
                return answer;
            }
        }
    }

    /// <summary>A request that must succeed, with its reply.</summary>
    public TReply Request<T, TReply>(string command, T body, JsonTypeInfo<T> type, JsonTypeInfo<TReply> replyType)
    {
        Envelope answer = Request(command, body, type);
        if (answer.Type == FrameType.Error)
        {
            throw new InvalidOperationException($"{command} was refused: {answer.Error}");
        }

        return JsonSerializer.Deserialize(answer.Payload!.Value.Span, replyType)!;
    }

    /// <summary>The next whole frame, valid until the next call; empty when the broker has closed the connection.</summary>
    public ReadOnlySpan<byte> ReadFrame()
    {
        while (true)
        {
            ReadOnlySpan<byte> rest = _buffer.AsSpan(_taken, _have - _taken);
            ScanStatus status = FrameScanner.Scan(rest, ProtocolLimits.MaxNegotiableFrame, true, out ScannedFrame frame);
            if (status == ScanStatus.Invalid)
            {
                throw new InvalidDataException("The broker sent a bad frame: " + frame.Error);
            }

            if (status == ScanStatus.Done)
            {
                _taken += frame.Length;
                return rest[..frame.Length];
            }

            if (!Fill(frame.Length))
            {
                return default;
            }
        }
    }

    /// <summary>Reads and drops everything until the broker closes.</summary>
    public void Drain()
    {
        do
        {
            _taken = _have;
        }
        while (Fill(0));
    }

    /// <summary>The frame as an envelope; null for a version-2 frame or the end of the stream.</summary>
    public static Envelope? Decode(ReadOnlySpan<byte> frame)
    {
        if (frame.IsEmpty)
        {
            return null;
        }

        EnvelopeCodec.TryDecode(frame, EnvelopeMode.Strict, ProtocolLimits.MaxNegotiableFrame, out Envelope? message, out _);
        return message ?? new Envelope();
    }

    /// <summary>A short text about a frame, for messages of failing tests.</summary>
    public static string Describe(ReadOnlySpan<byte> frame) => frame.IsEmpty ? "end of stream"
        : frame[2] == 1 ? $"{Decode(frame)!.Type} {Decode(frame)!.Id} {Decode(frame)!.Error}" : ((FrameType)frame[4]).ToString();

    public void Dispose() => Socket.Dispose();

    private bool Fill(int wanted)
    {
        if (_taken > 0)
        {
            _buffer.AsSpan(_taken, _have - _taken).CopyTo(_buffer);
            _have -= _taken;
            _taken = 0;
        }

        if (wanted > _buffer.Length)
        {
            Array.Resize(ref _buffer, wanted);
        }
        else if (_have == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        try
        {
            int read = Socket.Receive(_buffer.AsSpan(_have));
            _have += read;
            return read > 0;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted)
        {
            return false;
        }
    }
}
