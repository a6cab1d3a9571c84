using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>Finds the chunks of a large message in a log, and what its first one says about it.</summary>
internal static class StoredMessage
{
    /// <summary>The chunks of the message that begins at <paramref name="first"/>, and the bytes in them; null when it is not whole.</summary>
    /// <param name="log">The log of the message.</param>
    /// <param name="first">Offset of its first chunk.</param>
    /// <param name="limit">Chunks at or above this offset are not looked for.</param>
    /// <exception cref="IOException">The log cannot be read.</exception>
    public static async ValueTask<(List<long> Chunks, long Bytes)?> FindAsync(TopicLog log, long first, long limit)
    {
        var search = new Search();
        var source = new RecordSource(log);
        for (long at = first; at < Math.Min(limit, log.Visible);)
        {
            if (await source.ReadAsync(at).ConfigureAwait(false) is not { } run)
            {
                return null;
            }

            try
            {
                at = search.Look(run.Bytes.Span, at);
            }
            finally
            {
                run.Owner.Release();
            }

            if (search.IsOver)
            {
                return search.IsWhole ? (search.Offsets, search.Bytes) : null;
            }
        }

        return null;
    }

    /// <summary>
    /// What a first chunk tells: a bare one has only payload; in another the record begins. False when that beginning is longer than the chunk.
    /// </summary>
    /// <param name="chunk">The first chunk.</param>
    /// <param name="record">Key, attributes and event time; its payload is what of the message lies in this chunk.</param>
    public static bool TryReadHead(StoredFrame chunk, out Record record)
    {
        if ((chunk.Header.Flags & FrameFlags.Bare) != 0)
        {
            record = Record.OfBare(chunk.Payload);
            return true;
        }

        return RecordReader.TryReadHead(chunk.Payload, out record);
    }

    private sealed class Search
    {
        private ulong _producerId, _sequence;

        public List<long> Offsets { get; } = [];

        public long Bytes { get; private set; }

        public bool IsWhole { get; private set; }

        public bool IsOver { get; private set; }

        /// <summary>Looks through a run; returns the offset behind it.</summary>
        public long Look(ReadOnlySpan<byte> run, long at)
        {
            var frames = new RunReader(run);
            while (!IsOver && frames.TryRead(out StoredFrame frame))
            {
                Look(frame.Header);
                at = frame.Header.EndOffset;
            }

            return at;
        }

        private void Look(StreamHeader header)
        {
            if (Offsets.Count == 0)
            {
                (_producerId, _sequence) = (header.ProducerId, header.Sequence);
            }
            else if (header.ProducerId != _producerId)
            {
                return;
            }

            // The producer's next frame is the next chunk, or there is none.
            bool isNext = header.IsChunk && header.Sequence == _sequence + (ulong)Offsets.Count && header.Attributes == Offsets.Count;
            if (isNext)
            {
                Offsets.Add(header.Offset);
                Bytes += header.PayloadLength;
            }

            IsWhole = isNext && (header.Flags & FrameFlags.ChunkEnd) != 0;
            IsOver = IsWhole || !isNext;
        }
    }
}
