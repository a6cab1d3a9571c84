using System.Buffers.Binary;
using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.EndToEnd.Tests.Peers;

/// <summary>The RabbitMQ stream protocol as the bench's client writes and reads it.</summary>
public sealed class StreamProtocolTests
{
    private const int Messages = 150;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Frames_are_found_wherever_the_bytes_are_split(bool packs)
    {
        var output = new WireBuffer(16);
        var encoder = new StreamPublishEncoder(packs);
        encoder.Add(output, "one"u8);
        encoder.Complete(output);
        int credit = StreamPublishEncoder.Begin(output, StreamCommand.Credit);
        StreamPublishEncoder.End(output, credit);
        encoder.Add(output, "two"u8);
        encoder.Complete(output);
        SplitScan.AssertSame(output.Written.ToArray(), [$"2 {EntryLength(packs)}", "9 0", $"2 {EntryLength(packs)}"], Scan);
    }

    [Theory]
    [InlineData(false, Messages)]
    [InlineData(true, 3)]
    public void A_consumer_reads_what_a_publisher_wrote(bool packs, int entries)
    {
        var output = new WireBuffer(16);
        var encoder = new StreamPublishEncoder(packs);
        for (int i = 0; i < Messages; i++)
        {
            encoder.Add(output, Payload(i));
        }

        encoder.Complete(output);
        Assert.Equal(output.Length, StreamFrame.Scan(output.Written, out StreamFrame frame));
        Assert.Equal(entries, BinaryPrimitives.ReadInt32BigEndian(frame.Body[1..]));
        (byte[] deliver, List<long> ids) = Deliver(frame.Body[5..], entries);

        // A confirmed id says how many messages are confirmed.
        Assert.Equal(packs ? [64, 128, Messages] : Enumerable.Range(1, Messages).Select(i => (long)i), ids);
        var chunk = StreamChunk.Parse(deliver);
        Assert.Equal((0, (uint)Messages, 4_000_000_000_000UL), (chunk.Kind, chunk.Records, chunk.FirstOffset));
        var received = new Received();
        chunk.Read(received);
        Assert.Equal(Enumerable.Range(0, Messages).Select(i => Convert.ToHexString(Payload(i))), received.Payloads);
    }

    [Fact]
    public void What_is_not_the_protocol_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => StreamFrame.Scan([0, 0, 0, 1, 0, 0, 0, 0], out _));
        Assert.Throws<InvalidDataException>(() => StreamFrame.Scan([0xff, 0, 0, 0, 0, 0, 0, 0], out _));
        Assert.Throws<InvalidDataException>(() => StreamChunk.Parse(new byte[60]).Kind);
        Assert.Throws<InvalidDataException>(() => AmqpData.Unwrap(new byte[8]).Length);
    }

    private static int EntryLength(bool packs) => 1 + 4 + 8 + (packs ? 11 : 0) + 4 + AmqpData.Measure(3);

    private static byte[] Payload(int number)
    {
        byte[] payload = new byte[16 + (number % 5)];
        BinaryPrimitives.WriteInt32LittleEndian(payload, number);
        return payload;
    }

    // As the server does: the entries without their publishing ids, behind the head of a chunk.
    private static (byte[] Body, List<long> Ids) Deliver(ReadOnlySpan<byte> published, int entries)
    {
        var data = new WireBuffer(16);
        var ids = new List<long>();
        for (int i = 0; i < entries; i++)
        {
            ids.Add(BinaryPrimitives.ReadInt64BigEndian(published));
            int length = (published[8] & 0x80) != 0 ? 11 + BinaryPrimitives.ReadInt32BigEndian(published[15..]) : 4 + BinaryPrimitives.ReadInt32BigEndian(published[8..]);
            data.Write(published.Slice(8, length));
            published = published[(8 + length)..];
        }

        var body = new WireBuffer(16);
        body.Write([1, 0x50, 0]);
        body.WriteUInt16((ushort)entries);
        body.WriteUInt32(Messages);
        body.WriteUInt64(1_700_000_000_000);
        body.WriteUInt64(1);
        body.WriteUInt64(4_000_000_000_000);
        body.WriteUInt32(0);
        body.WriteUInt32((uint)data.Length);
        body.WriteUInt32(0);
        body.WriteUInt32(0);
        body.Write(data.Written);
        return (body.Written.ToArray(), ids);
    }

    private static int Scan(ReadOnlySpan<byte> bytes, out string text)
    {
        int length = StreamFrame.Scan(bytes, out StreamFrame frame);
        text = $"{frame.Key} {frame.Body.Length}";
        return length;
    }

    private sealed class Received : IMessageSink
    {
        public List<string> Payloads { get; } = [];

        public void OnMessage(ReadOnlySpan<byte> payload) => Payloads.Add(Convert.ToHexString(payload));
    }
}
