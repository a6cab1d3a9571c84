using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>The auditor of one log: what was appended, and the highest end that was ever acknowledged.</summary>
internal sealed class CrashModel(ulong topicId)
{
    private readonly List<(long Offset, long End, byte[] Frame)> _frames = [];

    public ulong TopicId => topicId;

    public long Acknowledged { get; private set; }

    public long LogStart { get; private set; }

    /// <summary>Highest start that anybody has asked for.</summary>
    public long WantedStart { get; private set; }

    public ulong NextSequence { get; private set; } = 1;

    public long End => _frames.Count > 0 ? _frames[^1].End : 0;

    public CrashModel Clone()
    {
        var clone = new CrashModel(topicId) { Acknowledged = Acknowledged, NextSequence = NextSequence, LogStart = LogStart, WantedStart = WantedStart };
        clone._frames.AddRange(_frames);
        return clone;
    }

    public byte[] NextFrame(Random random)
    {
        int records = random.Next(1, 4);
        int size = random.Next(12) switch { 0 => random.Next(20_000), < 4 => random.Next(3000), _ => random.Next(300) };
        return TestFrames.Build(topicId + 10, NextSequence, records, size);
    }

    /// <summary>A start to ask for: a small step, or everything. Any offset, also inside of a frame.</summary>
    public long NextStart(Random random, DurableLog log)
    {
        long start = random.Next(3) == 0 ? long.MaxValue : log.LogStart + random.Next(1, 20);
        WantedStart = Math.Max(WantedStart, Math.Min(start, log.Visible));
        return start;
    }

    public void Appended(byte[] frame)
    {
        long end = End + new StreamHeader(frame).RecordCount;
        _frames.Add((End, end, frame));
        NextSequence += new StreamHeader(frame).RecordCount;
    }

    /// <summary>What the log has acknowledged up to now, as the engine would do it from the durable watermark.</summary>
    public void Observe(DurableLog log)
    {
        Acknowledged = Math.Max(Acknowledged, log.Durable);
        LogStart = Math.Max(LogStart, log.LogStart);
    }

    /// <summary>A recovered log holds everything acknowledged, is dense, and holds nothing that was not appended at that place.</summary>
    /// <param name="log">The recovered log.</param>
    /// <param name="mayBeAhead">A group of the journal may have been on the disk before anybody was told.</param>
    public void Verify(DurableLog log, bool mayBeAhead = false)
    {
        log.EnsureReady();
        Assert.Null(log.Failure);
        Assert.Empty(log.Damages);
        Assert.True(log.Committed >= Acknowledged, $"Topic {topicId}: acknowledged up to {Acknowledged}, recovered only up to {log.Committed}.");
        Assert.True(log.Committed <= End, $"Topic {topicId}: recovered up to {log.Committed}, appended only up to {End}.");
        Assert.True(mayBeAhead || log.Durable <= Math.Max(Acknowledged, log.LogStart), $"Topic {topicId}: {log.Durable} counts as durable although nobody synced beyond {Acknowledged}.");
        Assert.True(log.LogStart >= LogStart, $"Topic {topicId}: the log start went back from {LogStart} to {log.LogStart}.");
        Assert.True(log.LogStart <= WantedStart || topicId != 1, $"Topic {topicId}: the log starts at {log.LogStart}; nobody asked for more than {WantedStart}.");
        int at = _frames.FindIndex(f => f.Offset >= log.LogStart);
        at = at < 0 ? _frames.Count : at;
        uint generation = 0;
        foreach ((long offset, byte[] frame) in ReadCommitted(log))
        {
            Assert.Equal(_frames[at].Offset, offset);
            AssertSameFrame(_frames[at].Frame, frame);
            uint stamped = new StreamHeader(frame).Generation;
            Assert.True(stamped >= generation, "Generations must not fall.");
            generation = stamped;
            at++;
        }

        Assert.Equal(log.Committed, at > 0 ? _frames[at - 1].End : 0);
        ulong expected = at > 0 ? new StreamHeader(_frames[at - 1].Frame).Sequence + new StreamHeader(_frames[at - 1].Frame).RecordCount - 1 : 0;
        Assert.Equal(expected, log.Producers.LastSequence(topicId + 10));
    }

    /// <summary>The world goes on from a recovered log: what was lost (never acknowledged) is forgotten.</summary>
    public void ContinueFrom(DurableLog log)
    {
        _frames.RemoveAll(f => f.Offset >= log.Committed);
        NextSequence = _frames.Count > 0 ? new StreamHeader(_frames[^1].Frame).Sequence + new StreamHeader(_frames[^1].Frame).RecordCount : 1;
    }

    // Not through Read: what is recovered is not visible before it was synced.
    private static IEnumerable<(long Offset, byte[] Frame)> ReadCommitted(DurableLog log)
    {
        var all = new List<(long, byte[])>();
        IReadOnlyList<Segment> segments = log.SegmentsForTest;
        for (int i = 0; i < segments.Count; i++)
        {
            Segment segment = segments[i];
            long next = i + 1 < segments.Count ? segments[i + 1].BaseOffset : log.Committed;
            using WalFile file = log.OpenForTest(segment);
            var bytes = new byte[file.Length];
            file.Read(bytes, 0);
            int position = SegmentHeader.Size;
            long end = segment.CommittedPosition == Segment.UnknownEnd ? bytes.Length : segment.CommittedPosition;
            while (position + ProtocolLimits.HeaderSize <= end && FrameCheck.IsHeader(bytes.AsSpan(position), end - position, out int length)
                && new StreamHeader(bytes.AsSpan(position)).Type == FrameType.Publish
                && new StreamHeader(bytes.AsSpan(position)).Offset < next)
            {
                Assert.True(FrameCheck.HasGoodContent(bytes.AsSpan(position, length)));
                all.Add((new StreamHeader(bytes.AsSpan(position)).Offset, bytes.AsSpan(position, length).ToArray()));
                position += length;
            }
        }

        return all.Where(f => f.Item1 >= log.LogStart);
    }

    // All but what the broker stamps: channel to durable lag, and the header CRC.
    private static void AssertSameFrame(byte[] expected, byte[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.True(expected.AsSpan(0, 12).SequenceEqual(actual.AsSpan(0, 12)));
        Assert.True(expected.AsSpan(44, 80).SequenceEqual(actual.AsSpan(44, 80)));
        Assert.True(expected.AsSpan(128).SequenceEqual(actual.AsSpan(128)));
    }
}
