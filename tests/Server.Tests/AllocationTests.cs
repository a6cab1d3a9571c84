using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Tests.Cluster;
using Danube.Fast.Server.Transport;

namespace Danube.Fast.Server.Tests;

/// <summary>The allocation gate of the transport, alone and as part of a whole broker.</summary>
[Collection(Alone.Name)]
public sealed class AllocationTests
{
    [Fact]
    public void Sending_allocates_nothing()
    {
        using SocketPair pair = SocketPair.Create();
        using var run = new TestRun(64 * 1024, 9);
        var queue = new SendQueue(pair.Near, 1 << 20, 64 << 20, _ => { });
        byte[] prefix = new byte[128];
        byte[] sink = new byte[1 << 20];
        for (int i = 0; i < 200; i++)
        {
            Round();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 2000; i++)
        {
            Round();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Round()
        {
            queue.Send(prefix);
            queue.Send(prefix, run.Take());
            queue.Send(prefix);
            queue.Flush();
            int expected = (3 * prefix.Length) + (64 * 1024);
            while (expected > 0)
            {
                expected -= pair.Far.Receive(sink, 0, Math.Min(sink.Length, expected), SocketFlags.None);
            }
        }
    }

    [Fact]
    public async Task Receiving_allocates_nothing()
    {
        using SocketPair pair = SocketPair.Create();
        var reader = new SocketPipeReader(pair.Near);
        byte[] piece = new byte[40_000];
        for (int i = 0; i < 200; i++)
        {
            await RoundAsync();
        }

        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < 1000; i++)
        {
            await RoundAsync();
        }

        // The test's own awaits box a little now and then; a buffer per read would be 64 MB.
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 1_000_000);
        reader.Complete();

        async ValueTask RoundAsync()
        {
            pair.Far.Send(piece);
            int left = piece.Length;
            while (left > 0)
            {
                ReadResult result = await reader.ReadAsync();
                left -= (int)result.Buffer.Length;
                reader.AdvanceTo(result.Buffer.End);
            }
        }
    }

    [Theory]
    [InlineData("memory")]
    [InlineData("os")]
    [InlineData("fsync")]
    public async Task A_broker_publishes_and_delivers_without_allocating_per_message(string durability)
    {
        // A memory topic keeps what it is told to; until then it grows.
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Topics = o.Topics with { Policy = o.Topics.Policy with { RetentionBytes = durability == "memory" ? 8 << 20 : 0 } } });

        Measure(broker.Host.NativeEndPoint, durability);
    }

    [Theory]
    [InlineData("memory")]
    [InlineData("fsync")]
    public async Task The_owners_proof_allocates_nothing_per_message(string durability)
    {
        await using var rig = new ClusterRig();
        RigBroker broker = await rig.StartAsync(1, o => o with { Topics = o.Topics with { Policy = o.Topics.Policy with { RetentionBytes = durability == "memory" ? 8 << 20 : 0 } } });
        await rig.CreateAsync(QuietPeer.Topic, 1, durability);
        await rig.UntilServedAsync(QuietPeer.Topic, 1);
        Measure(broker.Host.NativeEndPoint, durability);
        Assert.NotNull(broker.Host.Topics.Find(QuietPeer.Topic).Value!.Topic!.Log.Gate);
    }

    private static void Measure(IPEndPoint broker, string durability)
    {
        // The peer is one thread with blocking calls and buffers of its own, so that what is allocated is the broker's.
        const int records = 20;
        using var peer = new QuietPeer(broker, durability, records);
        for (int i = 0; i < 5000; i++)
        {
            peer.Round();
        }

        // Timers allocate a little by the second, however few rounds a slow disk allows in it, and a new segment some 100 KB for its index; the smallest
        // object per frame would be 24 bytes times three frames a round, in every window.
        const int rounds = 10_000, windows = 3, perSecond = 60_000;
        double least = double.MaxValue;
        for (int window = 0; window < windows && least > rounds * records * 2; window++)
        {
            long began = Stopwatch.GetTimestamp(), before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < rounds; i++)
            {
                peer.Round();
            }

            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before - (Stopwatch.GetElapsedTime(began).TotalSeconds * perSecond));
        }

        Assert.InRange(least, double.MinValue, rounds * records * 2);
    }

    /// <summary>Publishes a frame, reads its acknowledgement and its delivery, acknowledges. Allocates nothing.</summary>
    private sealed class QuietPeer : IDisposable
    {
        public const string Topic = "/a/b";

        private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 300_000 };
        private readonly byte[] _buffer = new byte[1 << 20];
        private readonly int _records;
        private readonly byte[] _publish;
        private readonly byte[] _ack;
        private ulong _next = 1;
        private int _end;

        public QuietPeer(IPEndPoint endPoint, string durability, int records)
        {
            _records = records;
            _socket.Connect(endPoint);
            Send(RawClient.HelloFrame());
            ReadFrame(out _);
            CreateProducerReply producer = Request(
                Commands.CreateProducer, $"{{\"topic\":\"{Topic}\",\"name\":\"quiet\",\"durability\":\"{durability}\"}}").Payload(ControlJson.Default.CreateProducerReply);
            SubscribeReply consumer = Request(
                Commands.Subscribe, "{\"topic\":\"/a/b\",\"subscription\":\"s\",\"start\":\"earliest\"}").Payload(ControlJson.Default.SubscribeReply);
            Send(Frames.Credit(consumer.Channel, 1UL << 40, 1UL << 50, consumer.SubscriptionEpoch));
            _publish = Frames.Publish(producer, 1, [.. Enumerable.Range(0, records).Select(_ => new byte[100])]);
            _ack = Frames.Ack(consumer.Channel, consumer.SubscriptionEpoch, 1);
        }

        private ReceivedFrame Request(string command, string json)
        {
            Send(RawClient.RequestFrame(command, Encoding.UTF8.GetBytes(json)));
            ReadFrame(out byte[] frame);
            return new ReceivedFrame(frame);
        }

        public void Round()
        {
            BinaryPrimitives.WriteUInt64BigEndian(_publish.AsSpan(56), _next);
            int length = (int)new StreamHeader(_publish).PayloadLength;
            StreamHeaderWriter.SealContent(_publish, _publish.AsSpan(ProtocolLimits.HeaderSize, length));
            StreamHeaderWriter.SealHeader(_publish);
            Send(_publish);
            bool acknowledged = false, delivered = false;
            while (!acknowledged || !delivered)
            {
                FrameType type = SkipFrame();
                acknowledged |= type == FrameType.PublishAck;
                delivered |= type == FrameType.Deliver;
                Assert.False(type is FrameType.Error or FrameType.Close, "the broker refused");
            }

            _next += (ulong)_records;
            BinaryPrimitives.WriteUInt64BigEndian(_ack.AsSpan(16), _next - 1);
            StreamHeaderWriter.SealHeader(_ack);
            Send(_ack);
        }

        private void Send(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[_socket.Send(bytes)..];
            }
        }

        private void ReadFrame(out byte[] frame)
        {
            int length = Fill().Length;
            frame = _buffer.AsSpan(0, length).ToArray();
            Drop(length);
        }

        private FrameType SkipFrame()
        {
            ScannedFrame frame = Fill();
            Drop(frame.Length);
            return frame.Type;
        }

        private ScannedFrame Fill()
        {
            ScannedFrame frame;
            while (FrameScanner.Scan(_buffer.AsSpan(0, _end), _buffer.Length, true, out frame) != ScanStatus.Done)
            {
                int received = _socket.Receive(_buffer.AsSpan(_end), SocketFlags.None);
                Assert.True(received > 0, "the broker ended the connection");
                _end += received;
            }

            return frame;
        }

        private void Drop(int length)
        {
            _buffer.AsSpan(length, _end - length).CopyTo(_buffer);
            _end -= length;
        }

        public void Dispose() => _socket.Dispose();
    }
}
