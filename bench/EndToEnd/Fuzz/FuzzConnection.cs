using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Fuzz;

/// <summary>
/// One thread's share of the malformed-input run: connection after connection, each with some mutated frames. Frames that still scan as frames
/// come first, a ping behind each, so that the pongs tell how many the broker has read; the one that does not scan comes last.
/// Runs on: its own thread. Shared with: the run, through <see cref="FuzzTally"/>.
/// </summary>
internal sealed class FuzzConnection(string address, int seed, FuzzTally tally)
{
    private const int MaxFramesPerConnection = 48;
    private const ulong TokenMark = 0xF0220000_00000000;

    private readonly Random _random = new(seed);
    private readonly FrameMutator _mutator = new(new Random(seed ^ 0x5EED));
    private readonly byte[] _ping = new byte[ProtocolLimits.HeaderSize];
    private ulong _token;

    public void Run(long frames)
    {
        for (long done = 0; done < frames && !tally.HasFailed;)
        {
            try
            {
                done += _random.Next(12) == 0 ? RunWithoutHello() : RunWithHello();
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.TimedOut)
            {
                tally.Fail("the broker neither answered nor closed a connection in time (hang)");
            }
            catch (Exception e) when (e is SocketException or EndOfStreamException or InvalidOperationException or InvalidDataException)
            {
                tally.Fail($"{e.GetType().Name}: {e.Message}");
            }
        }
    }

    private int RunWithoutHello()
    {
        using var connection = new RawConnection(address, FuzzRun.HangGuard);
        var corpus = new FrameCorpus(_random);
        SendQuietly(connection, _mutator.Mutate(corpus.First(), corpus.First()));
        EndOfStream(connection);
        tally.Count(1);
        return 1;
    }

    private int RunWithHello()
    {
        using RawConnection connection = RawConnection.Open(address, FuzzRun.HangGuard);
        FrameCorpus corpus = Attach(connection);
        var stream = new MemoryStream();
        byte[]? last = null;
        int frames = 0;
        ulong firstToken = TokenMark | (_token + 1);
        while (frames < MaxFramesPerConnection && last is null)
        {
            byte[] frame = _mutator.Mutate(corpus.Next(), corpus.Next());
            if (FrameScanner.Scan(frame, ProtocolLimits.DefaultMaxFrame, true, out ScannedFrame scanned) != ScanStatus.Done || scanned.Length != frame.Length)
            {
                last = frame;
                break;
            }

            frames++;
            stream.Write(frame);
            PingFrame.Write(_ping, FrameType.Ping, TokenMark | ++_token);
            stream.Write(_ping);
        }

        SendQuietly(connection, stream.GetBuffer().AsSpan(0, (int)stream.Length));
        int read = CountConfirmed(connection, firstToken, frames);
        bool isOpen = read == frames;
        if (isOpen && last is not null)
        {
            SendQuietly(connection, last);
        }

        // The frame without a pong is the one that closed the connection.
        int counted = isOpen ? frames + (last is null ? 0 : 1) : read + 1;
        EndOfStream(connection);
        tally.Count(counted);
        return counted;
    }

    private FrameCorpus Attach(RawConnection connection)
    {
        CreateProducerReply producer = Ask(
            connection, Commands.CreateProducer, new CreateProducerRequest { Topic = FrameCorpus.Topic, Name = "fuzz-" + seed },
            ControlJson.Default.CreateProducerRequest, ControlJson.Default.CreateProducerReply);
        SubscribeReply consumer = Ask(
            connection, Commands.Subscribe,
            new SubscribeRequest { Topic = FrameCorpus.Topic, Subscription = "fuzz", ConsumerName = "c" + seed, Type = "shared", Start = "earliest" },
            ControlJson.Default.SubscribeRequest, ControlJson.Default.SubscribeReply);
        return new FrameCorpus(_random)
        {
            ProducerChannel = producer.Channel,
            ProducerId = producer.ProducerId,
            NextSequence = producer.LastSequence + 1,
            ConsumerChannel = consumer.Channel,
            SubscriptionEpoch = consumer.SubscriptionEpoch,
        };
    }

    // Two frames spliced into one can be a legal request to delete the topic: then it is made again.
    private static TReply Ask<T, TReply>(RawConnection connection, string command, T body, JsonTypeInfo<T> type, JsonTypeInfo<TReply> replyType)
    {
        for (int attempt = 0; ; attempt++)
        {
            Envelope answer = connection.Request(command, body, type);
            if (answer.Type == FrameType.Response)
            {
                return JsonSerializer.Deserialize(answer.Payload!.Value.Span, replyType)!;
            }

            if (attempt == 10 || !answer.Error!.Contains(FrameCorpus.Topic, StringComparison.Ordinal))
            {
                throw new InvalidOperationException($"{command} was refused: {answer.Error}");
            }

            connection.Request(Commands.CreateTopic, FuzzRun.Target, ControlJson.Default.TopicSpec);
        }
    }

    /// <summary>Reads until all pings are answered or the broker has closed; returns how many frames it has certainly read.</summary>
    private int CountConfirmed(RawConnection connection, ulong firstToken, int frames)
    {
        int confirmed = 0;
        while (confirmed < frames)
        {
            ReadOnlySpan<byte> frame = connection.ReadFrame();
            if (frame.IsEmpty)
            {
                break;
            }

            if (frame[2] != 2 || frame[4] != (byte)FrameType.Pong)
            {
                Note(frame);
                continue;
            }

            ulong index = PingFrame.Token(frame) - firstToken;
            confirmed = index < (ulong)frames ? Math.Max(confirmed, (int)index + 1) : confirmed;
        }

        return confirmed;
    }

    private void EndOfStream(RawConnection connection)
    {
        try
        {
            connection.Socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The broker was faster.
        }

        connection.Drain();
    }

    private static void SendQuietly(RawConnection connection, ReadOnlySpan<byte> bytes)
    {
        try
        {
            connection.Send(bytes);
        }
        catch (SocketException e) when (e.SocketErrorCode is not SocketError.TimedOut)
        {
            // Closed on us because of an earlier frame: that is its right.
        }
    }

    private void Note(ReadOnlySpan<byte> frame)
    {
        if (frame[2] != 1 || frame[4] != (byte)FrameType.Error)
        {
            return;
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(frame[8..]);
        tally.Error(frame.Slice(ProtocolLimits.HeaderSize, (int)length));
    }
}
