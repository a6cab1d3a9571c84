using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>One connection of the fake broker.</summary>
internal sealed class FakeSession(FakeBroker broker, Socket socket)
{
    private readonly byte[] _input = new byte[16 << 20];
    private readonly Dictionary<uint, (FakeTopic Topic, FakeProducer Producer)> _producers = [];
    private readonly Dictionary<uint, (FakeTopic Topic, FakeSubscription Subscription)> _consumers = [];
    private bool _hello;

    public void Start() => new Thread(Run) { IsBackground = true, Name = "fake session" }.Start();

    public void Kill()
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client was faster.
        }

        socket.Dispose();
    }

    public void Send(ReadOnlySpan<byte> frame)
    {
        try
        {
            while (frame.Length > 0)
            {
                frame = frame[socket.Send(frame)..];
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client is gone; the receive loop ends too.
        }
    }

    public void CloseChannels(ErrorCode code)
    {
        foreach (uint channel in _producers.Keys.Concat(_consumers.Keys))
        {
            CloseChannel(channel, code);
        }

        _producers.Clear();
        foreach ((FakeTopic _, FakeSubscription subscription) in _consumers.Values)
        {
            subscription.Detach(this);
        }

        _consumers.Clear();
    }

    public void CloseConnection(ErrorCode code) => CloseChannel(0, code);

    private void CloseChannel(uint channel, ErrorCode code)
    {
        byte[] json = ErrorBodies.Write(new ErrorPayload { Code = ErrorCodes.Name(code), Message = "closed by the test" });
        byte[] frame = new byte[1024];
        Send(frame.AsSpan(0, CloseFrame.Write(frame, channel, code, json)));
    }

    private void Run()
    {
        int end = 0;
        try
        {
            socket.NoDelay = true;
            while (true)
            {
                int received = socket.Receive(_input.AsSpan(end));
                if (received == 0)
                {
                    break;
                }

                end += received;
                if (!broker.Silent)
                {
                    end = Handle(end);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Killed.
        }

        lock (broker.Gate)
        {
            foreach ((FakeTopic _, FakeProducer producer) in _producers.Values)
            {
                producer.Session = producer.Session == this ? null : producer.Session;
            }

            foreach ((FakeTopic _, FakeSubscription subscription) in _consumers.Values)
            {
                subscription.Detach(this);
            }
        }

        broker.Remove(this);
        socket.Dispose();
    }

    private int Handle(int end)
    {
        int at = 0;
        while (true)
        {
            ScanStatus status = FrameScanner.Scan(_input.AsSpan(at, end - at), 16 << 20, _hello, out ScannedFrame frame);
            if (status == ScanStatus.Invalid)
            {
                throw new InvalidDataException($"The client sent {frame.Error}.");
            }

            if (status == ScanStatus.NeedMoreData)
            {
                _input.AsSpan(at, end - at).CopyTo(_input);
                return end - at;
            }

            lock (broker.Gate)
            {
                Span<byte> bytes = _input.AsSpan(at, frame.Length);
                if (broker.Watched.TryGetValue(frame.Type, out List<byte[]>? seen))
                {
                    seen.Add(bytes.ToArray());
                }

                if (frame.Version == 1)
                {
                    OnEnvelope(bytes);
                }
                else
                {
                    OnStream(frame.Type, bytes);
                }
            }

            at += frame.Length;
        }
    }

    private void OnStream(FrameType type, Span<byte> frame)
    {
        uint channel = new StreamHeader(frame).Channel;
        switch (type)
        {
            case FrameType.Publish when !broker.Blackhole && _producers.TryGetValue(channel, out var to):
                ulong sequence = new StreamHeader(frame).Sequence;
                if (broker.PoisonAt == sequence)
                {
                    CloseConnection(ErrorCode.FrameTooLarge);
                    Kill();
                    break;
                }

                ErrorCode error = to.Topic.Publish(to.Producer, frame);
                if (error != ErrorCode.None)
                {
                    Send(EnvelopeCodec.EncodeError(new Envelope { Id = Commands.StreamError }, new ErrorPayload
                    {
                        Code = ErrorCodes.Name(error),
                        Message = "refused by the test",
                        Channel = channel,
                        Sequence = sequence,
                        Retryable = ErrorCodes.IsRetryable(error),
                    }));
                }

                break;
            case FrameType.Credit when _consumers.TryGetValue(channel, out var consumer):
                consumer.Subscription.Credit(consumer.Topic, new CreditFrame(frame));
                break;
            case FrameType.Ack or FrameType.Nack when _consumers.TryGetValue(channel, out var acking):
                acking.Subscription.Ack(new AckFrame(frame));
                break;
            case FrameType.Ping:
                Span<byte> pong = stackalloc byte[ProtocolLimits.HeaderSize];
                PingFrame.Write(pong, FrameType.Pong, PingFrame.Token(frame));
                Send(pong);
                break;
            case FrameType.Close:
                broker.ClosedByClient.Add(channel);
                _producers.Remove(channel);
                if (_consumers.Remove(channel, out var closed))
                {
                    closed.Subscription.Detach(this);
                }

                break;
        }
    }

    internal void OnEnvelope(ReadOnlySpan<byte> frame)
    {
        Assert.True(EnvelopeCodec.TryDecode(frame, EnvelopeMode.Strict, int.MaxValue, out Envelope? message, out _));
        if (message!.Target.Length > 0)
        {
            Route(message, frame);
            return;
        }

        ReadOnlySpan<byte> json = message.Payload!.Value.Span;
        if (message.Id == Commands.Hello)
        {
            if (broker.RefuseHello != ErrorCode.None)
            {
                Send(EnvelopeCodec.EncodeError(new Envelope { Id = Commands.Hello }, new ErrorPayload { Code = ErrorCodes.Name(broker.RefuseHello), Message = "go away" }));
                return;
            }

            _hello = true;
            HelloPayload hello = JsonSerializer.Deserialize(json, ControlJson.Default.HelloPayload)!;
            broker.ClientNames.Add(hello.ClientName);
            if (hello.ClientName is not null)
            {
                broker.Named[hello.ClientName] = this;
            }

            var reply = new HelloReply { Version = 2, MaxFrame = broker.MaxFrame, Codecs = broker.Codecs, BrokerName = "fake", Brokers = broker.Brokers };
            Send(EnvelopeCodec.Encode(new Envelope { Type = FrameType.Event, Id = Commands.Hello, Payload = JsonSerializer.SerializeToUtf8Bytes(reply, ControlJson.Default.HelloReply) }, PayloadEncoding.Json));
            return;
        }

        if (message.Id == broker.HeldRequest)
        {
            broker.HeldRequests.Add((this, frame.ToArray()));
            return;
        }

        if (broker.OnRequest?.Invoke(message.Id) is { } refusal and not ErrorCode.None)
        {
            Send(EnvelopeCodec.EncodeError(
                new Envelope { Id = message.Id, CorrelationId = message.CorrelationId },
                new ErrorPayload { Code = ErrorCodes.Name(refusal), Message = "refused by the test", Retryable = ErrorCodes.IsRetryable(refusal) }));
            return;
        }

        if (message.Id == Commands.Lookup)
        {
            LookupRequest lookup = JsonSerializer.Deserialize(json, ControlJson.Default.LookupRequest)!;
            Reply(message, broker.OnLookup?.Invoke(lookup) ?? new LookupReply { Result = LookupResults.Connect }, ControlJson.Default.LookupReply);
            return;
        }

        if (broker.OnTopic?.Invoke(TopicOf(json)) is { } elsewhere)
        {
            Send(EnvelopeCodec.EncodeError(
                new Envelope { Id = message.Id, CorrelationId = message.CorrelationId },
                new ErrorPayload { Code = ErrorCodes.Name(elsewhere.Code), Message = "elsewhere", Retryable = true, Redirect = elsewhere.Redirect }));
            return;
        }

        switch (message.Id)
        {
            case Commands.CreateProducer:
                Reply(message, Create(JsonSerializer.Deserialize(json, ControlJson.Default.CreateProducerRequest)!), ControlJson.Default.CreateProducerReply);
                break;
            case Commands.Subscribe:
                Reply(message, Subscribe(JsonSerializer.Deserialize(json, ControlJson.Default.SubscribeRequest)!), ControlJson.Default.SubscribeReply);
                break;
            case Commands.Seek:
                SeekRequest seek = JsonSerializer.Deserialize(json, ControlJson.Default.SeekRequest)!;
                FakeTopic topic = broker.Topic(seek.Topic);
                FakeSubscription subscription = topic.Subscriptions[seek.Subscription];
                Reply(message, subscription.Seek(Resolve(topic, seek.To)), ControlJson.Default.SeekReply);
                subscription.Dispatch(topic);
                break;
            default:
                Reply(message, new EmptyReply(), ControlJson.Default.EmptyReply);
                break;
        }
    }

    private static string TopicOf(ReadOnlySpan<byte> json)
    {
        using JsonDocument request = JsonDocument.Parse(json.ToArray());
        return request.RootElement.TryGetProperty("topic", out JsonElement topic) ? topic.GetString()! : "";
    }

    private void Route(Envelope message, ReadOnlySpan<byte> frame)
    {
        if (broker.Named.TryGetValue(message.Target, out FakeSession? target))
        {
            broker.OnRoute?.Invoke(message);
            target.Send(frame);
        }
        else if (message.Type is FrameType.Request or FrameType.Event)
        {
            Send(EnvelopeCodec.EncodeError(
                new Envelope { Id = message.Id, Source = "broker", CorrelationId = message.CorrelationId },
                new ErrorPayload { Code = "unroutable", Message = "nobody there" }));
        }
    }

    private CreateProducerReply Create(CreateProducerRequest request)
    {
        if (broker.Partitioned.TryGetValue(request.Topic, out int partitions))
        {
            return new CreateProducerReply { Partitions = partitions };
        }

        FakeTopic topic = broker.Topic(request.Topic);
        topic.Name = request.Topic;
        FakeProducer producer = topic.Attach(KeyHash.ProducerId(request.Name), request.LastSequence);
        if (producer.Session is { } former && former._producers.Remove(producer.Channel))
        {
            former.CloseChannel(producer.Channel, ErrorCode.Fenced);
        }

        producer.Session = this;
        producer.Channel = ++broker.LastChannel;
        _producers.Add(producer.Channel, (topic, producer));
        return new CreateProducerReply
        {
            Channel = producer.Channel,
            LastSequence = producer.LastSequence,
            Window = broker.Window,
            TopicEpoch = broker.TopicEpoch,
            Generation = topic.Generation,
            Durability = "memory",
        };
    }

    private SubscribeReply Subscribe(SubscribeRequest request)
    {
        if (broker.Partitioned.TryGetValue(request.Topic, out int partitions))
        {
            return new SubscribeReply { Partitions = partitions };
        }

        FakeTopic topic = broker.Topic(request.Topic);
        if (request.Reader)
        {
            request.Subscription = $"reader-{broker.LastChannel}";
            broker.ReaderStarts.Add(request.Start);
        }

        if (!topic.Subscriptions.TryGetValue(request.Subscription, out FakeSubscription? subscription))
        {
            topic.Subscriptions.Add(request.Subscription, subscription = new FakeSubscription(broker));
        }

        uint channel = ++broker.LastChannel;
        _consumers.Add(channel, (topic, subscription));
        return subscription.Attach(topic, this, request.ConsumerName, channel, Resolve(topic, request.Start)) with { Subscription = request.Subscription, TopicEpoch = broker.TopicEpoch };
    }

    private static long Resolve(FakeTopic topic, string start) => start switch
    {
        "earliest" => 0,
        "latest" => topic.End,
        _ => long.Parse(start["offset:".Length..], System.Globalization.CultureInfo.InvariantCulture),
    };

    private void Reply<T>(Envelope request, T reply, JsonTypeInfo<T> type) => Send(EnvelopeCodec.Encode(
        new Envelope { Type = FrameType.Response, Id = request.Id, CorrelationId = request.CorrelationId, Payload = JsonSerializer.SerializeToUtf8Bytes(reply, type) },
        PayloadEncoding.Json));
}
