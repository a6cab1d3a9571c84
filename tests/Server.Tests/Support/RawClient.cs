using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>A peer made by hand: a socket, frames written byte by byte, frames read one by one. Every wait ends after 60 s.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(60);

    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;
    private int _correlation;

    private RawClient(Socket socket) => Socket = socket;

    public Socket Socket { get; }

    public long BytesSent { get; private set; }

    public long BytesReceived { get; private set; }

    public static async Task<RawClient> ConnectAsync(IPEndPoint endPoint, int? receiveBufferBytes = null)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBufferBytes is { } bytes)
        {
            socket.ReceiveBufferSize = bytes;
        }

        await socket.ConnectAsync(endPoint);
        return new RawClient(socket);
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int sent = await Socket.SendAsync(bytes);
            BytesSent += sent;
            bytes = bytes[sent..];
        }
    }

    public async Task<HelloReply> HelloAsync(HelloPayload? hello = null)
    {
        await SendAsync(HelloFrame(hello));
        ReceivedFrame frame = await ReceiveAsync();
        Assert.Equal(FrameType.Event, frame.Type);
        return frame.Payload(ControlJson.Default.HelloReply);
    }

    public static byte[] HelloFrame(HelloPayload? hello = null) => EnvelopeCodec.Encode(
        new Envelope
        {
            Type = FrameType.Event,
            Id = Commands.Hello,
            Source = "raw",
            CorrelationId = "hello-1",
            Payload = JsonSerializer.SerializeToUtf8Bytes(hello ?? new HelloPayload { ClientName = "raw", Codecs = ["deflate"] }, ControlJson.Default.HelloPayload),
        },
        PayloadEncoding.Json);

    public static byte[] RequestFrame(string command, byte[] payload, string correlation = "1") => EnvelopeCodec.Encode(
        new Envelope { Type = FrameType.Request, Id = command, Source = "raw", CorrelationId = correlation, Payload = payload }, PayloadEncoding.Json);

    /// <summary>Sends a request and takes the next envelope as its answer; stream frames that come first are dropped.</summary>
    public async Task<ReceivedFrame> RequestAsync<T>(string command, T payload, JsonTypeInfo<T> type)
    {
        string correlation = $"{++_correlation}";
        await SendAsync(RequestFrame(command, JsonSerializer.SerializeToUtf8Bytes(payload, type), correlation));
        ReceivedFrame frame;
        do
        {
            frame = await ReceiveAsync();
        }
        while (frame.Version != 1);

        Assert.Equal(correlation, frame.Envelope.CorrelationId);
        Assert.Equal(command, frame.Envelope.Id);
        Assert.Equal("raw", frame.Envelope.Target);
        return frame;
    }

    public async Task<CreateProducerReply> CreateProducerAsync(string topic, string name = "p", string? durability = "memory") =>
        (await RequestAsync(Commands.CreateProducer, new CreateProducerRequest { Topic = topic, Name = name, Durability = durability }, ControlJson.Default.CreateProducerRequest))
        .Payload(ControlJson.Default.CreateProducerReply);

    public async Task<SubscribeReply> SubscribeAsync(string topic, string subscription = "s", string type = "exclusive", string start = "earliest", string durability = "memory", string consumer = "c") =>
        (await RequestAsync(
            Commands.Subscribe,
            new SubscribeRequest { Topic = topic, Subscription = subscription, ConsumerName = consumer, Type = type, Start = start, Durability = durability },
            ControlJson.Default.SubscribeRequest))
        .Payload(ControlJson.Default.SubscribeReply);

    /// <summary>The next frame; fails when the connection ends.</summary>
    public async Task<ReceivedFrame> ReceiveAsync() =>
        await TryReceiveAsync() ?? throw new InvalidOperationException("The broker ended the connection.");

    /// <summary>The next frame that is no ping; null when the connection ended.</summary>
    public async Task<ReceivedFrame?> TryReceiveAsync()
    {
        while (true)
        {
            ScanStatus status = FrameScanner.Scan(_buffer.AsSpan(_start, _end - _start), ProtocolLimits.MaxNegotiableFrame, true, out ScannedFrame scanned);
            Assert.NotEqual(ScanStatus.Invalid, status);
            if (status == ScanStatus.Done)
            {
                byte[] frame = _buffer.AsSpan(_start, scanned.Length).ToArray();
                _start += scanned.Length;
                if (scanned.Type == FrameType.Ping)
                {
                    continue;
                }

                return new ReceivedFrame(frame);
            }

            if (!await FillAsync())
            {
                Assert.Equal(_start, _end);
                return null;
            }
        }
    }

    /// <summary>Frames until one of the type comes.</summary>
    public async Task<ReceivedFrame> ReceiveAsync(FrameType type)
    {
        while (true)
        {
            ReceivedFrame frame = await ReceiveAsync();
            if (frame.Type == type)
            {
                return frame;
            }
        }
    }

    /// <summary>Everything until the broker ends the connection.</summary>
    public async Task<byte[]> ReceiveToEndAsync()
    {
        while (await FillAsync())
        {
        }

        return _buffer.AsSpan(_start, _end - _start).ToArray();
    }

    public async Task AssertEndedAsync() => Assert.Null(await TryReceiveAsync());

    public void Dispose() => Socket.Dispose();

    private async Task<bool> FillAsync()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_start == 0 && _end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
        else if (_end == _buffer.Length)
        {
            Buffer.BlockCopy(_buffer, _start, _buffer, 0, _end - _start);
            _end -= _start;
            _start = 0;
        }

        using var guard = new CancellationTokenSource(HangGuard);
        int received;
        try
        {
            received = await Socket.ReceiveAsync(_buffer.AsMemory(_end), guard.Token);
        }
        catch (SocketException)
        {
            received = 0;
        }

        _end += received;
        BytesReceived += received;
        return received > 0;
    }
}
