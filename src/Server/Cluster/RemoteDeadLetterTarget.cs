using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// A dead-letter topic that another broker serves, over a connection of its own that speaks the native protocol. It lives as long as there are
/// dead letters to move.
/// Runs on: the writer of dead letters, and a loop that receives. Shared with: the two of them.
/// </summary>
internal sealed class RemoteDeadLetterTarget : DeadLetterTarget
{
    private const int VersionAt = 2, TypeAt = 4;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    private readonly Socket _socket;
    private readonly IFrameSink _sink;
    private readonly Lock _lock = new();
    private readonly Queue<(ulong LastSequence, long Bytes)> _open = new();
    private byte[] _buffer = new byte[64 * 1024];
    private int _start, _end;
    private int _maxFrame = ProtocolLimits.MaxFrameBeforeHello;
    private CreateProducerReply _producer = new();
    private long _openBytes;
    private volatile bool _isOpen = true;
    private volatile bool _isDisposed;

    private RemoteDeadLetterTarget(string topic, Socket socket, IFrameSink sink)
    {
        Name = topic;
        _socket = socket;
        _sink = sink;
    }

    public override string Name { get; }

    public override ulong LastSequence => _producer.LastSequence;

    public override bool IsOpen => _isOpen;

    public override bool HasRoom => Interlocked.Read(ref _openBytes) <= _producer.Window;

    /// <summary>Connects, greets and creates the producer.</summary>
    /// <param name="address"><c>host:port</c> of the broker that serves the topic.</param>
    /// <param name="me">Name of this broker among its peers (<see cref="PeerIdentity"/>): they may use the reserved producer names.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="producerName">Name of the producer.</param>
    /// <param name="maxFrame">Largest frame that will be sent, bytes.</param>
    /// <param name="sink">Takes acknowledgements.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="IOException">The broker cannot be reached, or refuses.</exception>
    public static async Task<DeadLetterTarget> OpenAsync(
        string address, string me, string topic, string producerName, int maxFrame, IFrameSink sink, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(AnswerLimit);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var target = new RemoteDeadLetterTarget(topic, socket, sink);
        try
        {
            int colon = address.LastIndexOf(':');
            await socket.ConnectAsync(new DnsEndPoint(address[..colon].Trim('[', ']'), int.Parse(address.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture)), limit.Token);
            var hello = new HelloPayload { ClientName = me, Versions = [2], MaxFrame = maxFrame };
            HelloReply greeted = await target.AskAsync(FrameType.Event, Commands.Hello, hello, ControlJson.Default.HelloPayload, ControlJson.Default.HelloReply, limit.Token);
            target._maxFrame = greeted.MaxFrame;
            target._producer = await target.AskAsync(
                FrameType.Request, Commands.CreateProducer, new CreateProducerRequest { Topic = topic, Name = producerName },
                ControlJson.Default.CreateProducerRequest, ControlJson.Default.CreateProducerReply, limit.Token);
            _ = target.ReceiveAsync();
            return target;
        }
        catch (Exception e) when (e is SocketException or JsonException or OperationCanceledException)
        {
            target.Dispose();
            cancellation.ThrowIfCancellationRequested();
            throw new IOException($"The broker at {address}, which serves topic {topic}, cannot be used: {e.Message}", e);
        }
        catch
        {
            target.Dispose();
            throw;
        }
    }

    public override async ValueTask AppendAsync(byte[] frame, CancellationToken cancellation)
    {
        var header = new StreamHeader(frame);
        lock (_lock)
        {
            _open.Enqueue((header.Sequence + header.RecordCount - 1, frame.Length));
        }

        Interlocked.Add(ref _openBytes, frame.Length);
        StreamHeaderWriter.SetChannel(frame, _producer.Channel);
        StreamHeaderWriter.SealHeader(frame);
        await SendAsync(frame, cancellation);
    }

    protected override void Dispose(bool disposing)
    {
        // The sink may be listening to the next target by now.
        _isDisposed = true;
        _isOpen = false;
        _socket.Dispose();
    }

    private async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await _socket.SendAsync(bytes, cancellation)..];
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _isOpen = false;
            throw new IOException($"The connection to the broker that serves topic {Name} has ended.", e);
        }
    }

    private async Task<TReply> AskAsync<T, TReply>(
        FrameType type, string id, T payload, JsonTypeInfo<T> payloadType, JsonTypeInfo<TReply> replyType, CancellationToken cancellation)
    {
        var request = new Envelope { Type = type, Id = id, CorrelationId = "1", Payload = JsonSerializer.SerializeToUtf8Bytes(payload, payloadType) };
        await SendAsync(EnvelopeCodec.Encode(request, PayloadEncoding.Json), cancellation);
        ReadOnlyMemory<byte> frame = await ReceiveFrameAsync(cancellation);
        if (frame.IsEmpty || frame.Span[VersionAt] != 1 || !EnvelopeCodec.TryDecode(frame.Span, EnvelopeMode.Strict, ProtocolLimits.MaxNegotiableFrame, out Envelope? answer, out _))
        {
            throw new IOException($"The broker that serves topic {Name} gave no answer to {id}.");
        }

        return answer!.Type == FrameType.Error
            ? throw new IOException($"The broker that serves topic {Name} refuses {id}: {ErrorBodies.Read(answer).Message}")
            : JsonSerializer.Deserialize(answer.Payload!.Value.Span, replyType)!;
    }

    private async Task ReceiveAsync()
    {
        string why = "The connection to the broker that serves the dead-letter topic has ended.";
        try
        {
            while (await ReceiveFrameAsync(CancellationToken.None) is { IsEmpty: false } frame && !_isDisposed && await TakeAsync(frame))
            {
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            why = e.Message;
        }

        _isOpen = false;
        if (!_isDisposed)
        {
            _sink.CloseChannel(0, ErrorCode.Unavailable, why);
        }
    }

    // False when the producer has ended.
    private async ValueTask<bool> TakeAsync(ReadOnlyMemory<byte> frame)
    {
        var type = (FrameType)frame.Span[TypeAt];
        switch (type)
        {
            case FrameType.PublishAck:
                OnAcknowledged(new PublishAckFrame(frame.Span).LastSequence);
                _sink.Send(frame.Span);
                return true;
            case FrameType.Ping:
                byte[] pong = new byte[ProtocolLimits.HeaderSize];
                PingFrame.Write(pong, FrameType.Pong, PingFrame.Token(frame.Span));
                await SendAsync(pong, CancellationToken.None);
                return true;
            case FrameType.Error when EnvelopeCodec.TryDecode(frame.Span, EnvelopeMode.Strict, ProtocolLimits.MaxNegotiableFrame, out Envelope? error, out _):
                _sink.SendError(ErrorCodes.Parse(ErrorBodies.Read(error!).Code), ErrorBodies.Read(error!).Message, 0, null);
                return true;
            case FrameType.Close:
                return false;
            default:
                return true;
        }
    }

    private void OnAcknowledged(ulong lastSequence)
    {
        lock (_lock)
        {
            while (_open.TryPeek(out (ulong LastSequence, long Bytes) oldest) && oldest.LastSequence <= lastSequence)
            {
                _open.Dequeue();
                Interlocked.Add(ref _openBytes, -oldest.Bytes);
            }
        }
    }

    /// <summary>The next frame, valid until the next call; empty when the connection has ended.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> ReceiveFrameAsync(CancellationToken cancellation)
    {
        while (true)
        {
            ScanStatus status = FrameScanner.Scan(_buffer.AsSpan(_start, _end - _start), Math.Max(_maxFrame, ProtocolLimits.MaxFrameBeforeHello), true, out ScannedFrame scanned);
            if (status == ScanStatus.Done)
            {
                _start += scanned.Length;
                return _buffer.AsMemory(_start - scanned.Length, scanned.Length);
            }

            if (status == ScanStatus.Invalid)
            {
                throw new IOException($"The broker that serves topic {Name} sends what is no frame.");
            }

            if (_start > 0)
            {
                Buffer.BlockCopy(_buffer, _start, _buffer, 0, _end - _start);
                (_start, _end) = (0, _end - _start);
            }

            if (_end == _buffer.Length)
            {
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }

            int received = await _socket.ReceiveAsync(_buffer.AsMemory(_end), cancellation);
            if (received == 0)
            {
                return default;
            }

            _end += received;
        }
    }
}
