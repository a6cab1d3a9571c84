using System.Buffers;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// The keys of a frame's records, as runs of records with the same key. A frame that names one key in its header is not looked into;
/// others are walked, and inflated for that when they are compressed. Records without a key, and frames that cannot be unpacked, have
/// one key per frame. One thread; the buffers are kept.
/// </summary>
internal sealed class FrameKeys
{
    // A larger buffer than this is not kept from frame to frame.
    private const int KeptScratchBytes = 1024 * 1024;

    private readonly List<(long First, long End, ulong Key)> _runs = [];
    private byte[]? _scratch;

    public int Count => _runs.Count;

    public (long First, long End, ulong Key) this[int index] => _runs[index];

    /// <summary>The runs are messages in chunks: see <see cref="ActiveKey.IsMessage"/>.</summary>
    public bool AreMessages { get; private set; }

    /// <param name="frame">A whole stored frame.</param>
    /// <param name="byMessage">True: only chunks have keys, one per message (shared subscriptions).</param>
    public void Read(ReadOnlySpan<byte> frame, bool byMessage)
    {
        _runs.Clear();
        var header = new StreamHeader(frame);
        AreMessages = byMessage;
        if (byMessage)
        {
            Add(header.Offset, header.EndOffset, MessageOf(header));
        }
        else if ((header.Flags & FrameFlags.OneKey) != 0)
        {
            Add(header.Offset, header.EndOffset, header.KeyHash);
        }
        else if ((header.Flags & FrameFlags.Bare) != 0 || header.IsChunk)
        {
            Add(header.Offset, header.EndOffset, header.KeyHash != 0 ? header.KeyHash : header.IsChunk ? MessageOf(header) : NoKey(header.Offset));
        }
        else
        {
            Walk(frame, header);
        }
    }

    private static ulong NoKey(long offset) => KeyHash.Mix((ulong)offset + 0x9E3779B97F4A7C15UL);

    // Chunks of a message have consecutive sequences, and the index of each is in the attributes.
    private static ulong MessageOf(StreamHeader header) => KeyHash.Mix(header.ProducerId ^ KeyHash.Mix(header.Sequence - header.Attributes));

    private void Walk(ReadOnlySpan<byte> frame, StreamHeader header)
    {
        var run = new RunReader(frame);
        if (!run.TryRead(out StoredFrame stored) || !Compression.TryUnpack(stored, ProtocolLimits.MaxNegotiableFrame, ref _scratch, out ReadOnlySpan<byte> records))
        {
            Add(header.Offset, header.EndOffset, NoKey(header.Offset));
            return;
        }

        long at = header.Offset;
        var reader = new RecordReader(records);
        while (at < header.EndOffset && reader.TryRead(out Record record))
        {
            Add(at, at + 1, (record.Flags & RecordFlags.Key) != 0 ? KeyHash.Compute(record.Key) : NoKey(header.Offset));
            at++;
        }

        if (at < header.EndOffset)
        {
            Add(at, header.EndOffset, NoKey(header.Offset));
        }

        if (_scratch?.Length > KeptScratchBytes)
        {
            ArrayPool<byte>.Shared.Return(_scratch);
            _scratch = null;
        }
    }

    private void Add(long first, long end, ulong key)
    {
        if (_runs.Count > 0 && _runs[^1].Key == key)
        {
            _runs[^1] = (_runs[^1].First, end, key);
        }
        else
        {
            _runs.Add((first, end, key));
        }
    }
}
