using System.Buffers.Binary;

namespace Danube.Fast.Bench.Peers.Wire;

/// <summary>
/// Writes Publish frames: each message an entry of its own, or a number of them packed into a sub-entry. The publishing id of an entry is the number of messages up to
/// its end, so that a confirmed id says how many messages are confirmed. Runs on: one thread.
/// </summary>
/// <param name="packs">True: sub-entries.</param>
internal sealed class StreamPublishEncoder(bool packs)
{
    /// <summary>Publisher of the first stream; the others follow.</summary>
    public const byte FirstPublisherId = 1;

    /// <summary>Whose frame the next one is.</summary>
    public byte Publisher { get; set; } = FirstPublisherId;

    /// <summary>Messages of a full sub-entry.</summary>
    public const int PackedMessages = 64;

    // flags, number of messages, length before and after compression
    private const int IdBytes = 8, SubEntryHead = 11;
    private const byte SubEntryFlag = 0x80;

    private int _frame = -1;
    private int _countAt;
    private uint _entries;
    private int _entryAt;
    private ushort _entryMessages;
    private long _published;

    /// <summary>Appends a message to the frame, which it begins when there is none.</summary>
    public void Add(WireBuffer output, ReadOnlySpan<byte> payload)
    {
        if (_frame < 0)
        {
            _frame = Begin(output, StreamCommand.Publish);
            output.WriteByte(Publisher);
            _countAt = output.Length;
            output.WriteUInt32(0);
            _entries = 0;
        }

        _published++;
        if (packs)
        {
            BeginEntry(output);
        }
        else
        {
            output.WriteUInt64((ulong)_published);
            _entries++;
        }

        int length = AmqpData.Measure(payload.Length);
        output.WriteUInt32((uint)length);
        AmqpData.Write(output.Take(length), payload);
        if (_entryMessages == PackedMessages)
        {
            EndEntry(output);
        }
    }

    /// <summary>Ends the frame.</summary>
    public void Complete(WireBuffer output)
    {
        if (_frame < 0)
        {
            return;
        }

        EndEntry(output);
        BinaryPrimitives.WriteUInt32BigEndian(output.At(_countAt, 4), _entries);
        End(output, _frame);
        _frame = -1;
    }

    /// <summary>Writes the head of a frame and returns where it begins.</summary>
    public static int Begin(WireBuffer output, ushort command)
    {
        int start = output.Length;
        output.WriteUInt32(0);
        output.WriteUInt16(command);
        output.WriteUInt16(StreamCommand.Version);
        return start;
    }

    /// <summary>Writes the length into the head.</summary>
    public static void End(WireBuffer output, int start) => BinaryPrimitives.WriteInt32BigEndian(output.At(start, 4), output.Length - start - 4);

    private void BeginEntry(WireBuffer output)
    {
        if (_entryMessages++ > 0)
        {
            return;
        }

        _entryAt = output.Length;
        output.Take(IdBytes + SubEntryHead)[IdBytes] = SubEntryFlag;
        _entries++;
    }

    private void EndEntry(WireBuffer output)
    {
        if (_entryMessages == 0)
        {
            return;
        }

        int length = output.Length - _entryAt - IdBytes - SubEntryHead;
        BinaryPrimitives.WriteInt64BigEndian(output.At(_entryAt, IdBytes), _published);
        BinaryPrimitives.WriteUInt16BigEndian(output.At(_entryAt + IdBytes + 1, 2), _entryMessages);
        BinaryPrimitives.WriteInt32BigEndian(output.At(_entryAt + IdBytes + 3, 4), length);
        BinaryPrimitives.WriteInt32BigEndian(output.At(_entryAt + IdBytes + 7, 4), length);
        _entryMessages = 0;
    }
}
