using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>A whole message: a record, or chunks put together.</summary>
internal sealed record ReadMessage(string? Key, byte[] Payload, long EventTime, Dictionary<string, string> Attributes, int Frames);

/// <summary>Reads all messages of a log as a consumer of an exclusive subscription does. A chunk that belongs to no whole message is counted as an orphan.</summary>
internal sealed class MessageReader
{
    private readonly Dictionary<ulong, (ulong Next, uint Length, bool IsBare, MemoryStream Bytes, int Frames)> _open = [];

    private MessageReader(TopicLog log, int maxFrame)
    {
        for (long at = log.LogStart; at < log.Visible;)
        {
            var position = LogPosition.At(at);
            Assert.Equal(ReadStatus.Ok, log.Read(ref position, 1, out LogRun run));
            var frames = new RunReader(run.Bytes.Span);
            Assert.True(frames.TryRead(out StoredFrame frame));
            Assert.True(frame.IsIntact);
            Assert.InRange(frame.Bytes.Length, 1, maxFrame);
            Take(frame);
            at = frame.Header.EndOffset;
            run.Owner.Release();
        }

        Orphans += _open.Values.Sum(o => o.Frames);
    }

    public List<ReadMessage> Messages { get; } = [];

    public int Orphans { get; private set; }

    public static MessageReader Of(TopicLog log, int maxFrame = ProtocolLimits.DefaultMaxFrame) => new(log, maxFrame);

    private void Take(StoredFrame frame)
    {
        StreamHeader header = frame.Header;
        if (_open.Remove(header.ProducerId, out (ulong Next, uint Length, bool IsBare, MemoryStream Bytes, int Frames) open) && (!header.IsChunk || open.Next != header.Sequence))
        {
            Orphans += open.Frames;
            open = default;
        }

        bool isBare = (header.Flags & FrameFlags.Bare) != 0;
        if (!header.IsChunk)
        {
            byte[]? scratch = null;
            Assert.True(Compression.TryUnpack(frame, ProtocolLimits.MaxNegotiableFrame, ref scratch, out ReadOnlySpan<byte> records));
            Add(records, isBare, 1);
            return;
        }

        if (header.Attributes == 0)
        {
            open = (0, header.RawLength, isBare, new MemoryStream(), 0);
        }

        if (open.Bytes is null || open.Frames != header.Attributes)
        {
            Orphans++;
            return;
        }

        open.Bytes.Write(frame.Payload);
        open = open with { Next = header.Sequence + 1, Frames = open.Frames + 1 };
        if ((header.Flags & FrameFlags.ChunkEnd) != 0)
        {
            Assert.Equal(open.Length, open.Bytes.Length);
            Add(open.Bytes.ToArray(), open.IsBare, open.Frames);
        }
        else
        {
            _open[header.ProducerId] = open;
        }
    }

    private void Add(ReadOnlySpan<byte> records, bool isBare, int frames)
    {
        Protocol.Record record;
        if (isBare)
        {
            record = Protocol.Record.OfBare(records);
        }
        else
        {
            var reader = new RecordReader(records);
            Assert.True(reader.TryRead(out record));
            Assert.Equal(0, reader.Remaining);
        }

        var attributes = new Dictionary<string, string>();
        var pairs = new AttributeReader(record.PackedAttributes);
        while (pairs.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
        {
            attributes.Add(Encoding.UTF8.GetString(name), Encoding.UTF8.GetString(value));
        }

        Messages.Add(new ReadMessage((record.Flags & RecordFlags.Key) != 0 ? Encoding.UTF8.GetString(record.Key) : null, record.Payload.ToArray(), record.EventTimeMicros, attributes, frames));
    }
}
