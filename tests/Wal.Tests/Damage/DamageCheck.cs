using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>
/// Opens a damaged copy of a world and holds it against what must be left: the longest valid prefix, everything acknowledged or reported, nothing
/// invented, the other topics whole, all logs usable, and the same again after the next start.
/// </summary>
internal sealed class DamageCheck(DamageWorld world, DamageCounts counts)
{
    private long _cases;

    /// <param name="image">The damaged files; used up.</param>
    /// <param name="victim">What must be left of topic 1.</param>
    /// <param name="look">Further checks on the opened directory, before anything is appended.</param>
    /// <param name="starts">What the log start of topic 3 may be; null: the last one.</param>
    public void Run(SimulatedFileSystem image, ExpectedLog victim, Action<SteppedDirectory>? look = null, IReadOnlyList<long>? starts = null) =>
        Run(image, [.. world.Written.Select(w => w.TopicId == DamageWorld.Victim ? victim : ExpectedLog.Whole(w))], look, starts);

    /// <param name="image">The damaged files; used up.</param>
    /// <param name="expected">What must be left, by topic id - 1.</param>
    /// <param name="look">Further checks on the opened directory, before anything is appended.</param>
    /// <param name="starts">What the log start of topic 3 may be; null: the last one.</param>
    public void Run(SimulatedFileSystem image, ExpectedLog[] expected, Action<SteppedDirectory>? look = null, IReadOnlyList<long>? starts = null)
    {
        long number = _cases++;

        // Maps make copies in the simulation: every eighth case reads as a dispatcher does, the others cold.
        int maps = number % 8 == 0 ? 100 : 0;
        SteppedDirectory first = Open(image, maps);
        look?.Invoke(first);
        DurableLog[] logs = Check(first, expected, [[], [], []], starts);
        byte[][] appended = [.. logs.Select((log, i) => AppendOne(first, log, world.Written[i]))];
        first.RunCommits();
        for (int i = 0; i < logs.Length; i++)
        {
            Assert.Equal(expected[i].End + 1, logs[i].Durable);

            // A frame of a generation that was used before would be taken for a leftover at the next start.
            Assert.True(new StreamHeader(appended[i]).Generation > world.Written[i].Frames[^1].Generation);
        }

        // The next start, after a kill or a power cut: what was acknowledged meanwhile is there too.
        SimulatedFileSystem next = number % 2 == 0 ? image.Kill() : image.Crash(new Random(1), 0);
        Check(Open(next, 0), expected, [.. appended.Select(a => new[] { a })], starts);
        counts.Add(expected);
    }

    private SteppedDirectory Open(SimulatedFileSystem files, int maps) =>
        new(files, world.Clock, o => world.Configure(o) with { MaxMaps = maps, SnapshotIntervalBytes = long.MaxValue });

    private DurableLog[] Check(SteppedDirectory directory, ExpectedLog[] expected, byte[][][] appended, IReadOnlyList<long>? starts)
    {
        DurableLog[] logs = [.. world.Written.Select(w => directory.Open(w.TopicId))];
        for (int i = 0; i < logs.Length; i++)
        {
            Assert.Null(logs[i].Failure);
            Assert.Equal(expected[i].End + appended[i].Length, logs[i].Committed);
        }

        directory.RunCommits();
        for (int i = 0; i < logs.Length; i++)
        {
            Assert.Equal(logs[i].Committed, logs[i].Durable);
            if (i == logs.Length - 1)
            {
                Assert.Contains(logs[i].LogStart, starts ?? [world.Starts[^1]]);
            }
            else
            {
                Assert.Equal(0, logs[i].LogStart);
            }

            CheckContent(logs[i], expected[i], appended[i]);
            if (expected[i].Damages.Count == 0)
            {
                ulong sequence = appended[i].Length > 0 ? new StreamHeader(appended[i][^1]).Sequence : world.Written[i].LastSequenceBelow(expected[i].End);
                Assert.Equal(sequence, logs[i].Producers.LastSequence(world.Written[i].ProducerId));
                ulong early = i == 0 ? world.Log.Frames[0].LastSequence : 0;
                Assert.Equal(early, logs[i].Producers.LastSequence(DamageWorld.EarlyProducer));
            }
        }

        return logs;
    }

    // Reads from the start to the end, over damages, and compares every frame that is given out.
    private static void CheckContent(DurableLog log, ExpectedLog expected, byte[][] appended)
    {
        int frame = expected.Frames.TakeWhile(f => f.End <= log.LogStart).Count();
        LogPosition position = LogPosition.At(log.LogStart);
        while (true)
        {
            ReadStatus status = log.Read(ref position, DamageWorld.SegmentBytes, out LogRun run);
            status = status == ReadStatus.Cold ? log.ReadCold(ref position, DamageWorld.SegmentBytes, out run) : status;
            if (status == ReadStatus.AtEnd)
            {
                break;
            }

            if (status == ReadStatus.Damaged)
            {
                long end = log.EndOfDamage(position.Offset);
                Assert.True(end > position.Offset);
                position = LogPosition.At(end);
                continue;
            }

            Assert.Equal(ReadStatus.Ok, status);
            ReadOnlySpan<byte> bytes = run.Bytes.Span;
            int at = 0;
            while (bytes.Length - at >= ProtocolLimits.HeaderSize && TestFrames.LengthOf(bytes[at..]) is var length && length <= bytes.Length - at)
            {
                ReadOnlySpan<byte> wanted = frame < expected.Frames.Count ? expected.Frames[frame].Bytes : appended[frame - expected.Frames.Count];
                Assert.True(bytes.Slice(at, length).SequenceEqual(wanted), "A frame was given out that is not the one that was appended there.");
                at += length;
                frame++;
            }

            Assert.True(at > 0);
            position.Advance(at, new StreamHeader(frame <= expected.Frames.Count ? expected.Frames[frame - 1].Bytes : appended[frame - 1 - expected.Frames.Count]).EndOffset);
            run.Owner.Release();
        }

        Assert.Equal(expected.Frames.Count + appended.Length, frame);
        Assert.Equal(expected.Damages, log.Damages);
    }

    private static byte[] AppendOne(SteppedDirectory directory, DurableLog log, WrittenLog written)
    {
        byte[] frame = TestFrames.Build(written.ProducerId, written.LastSequenceBelow(long.MaxValue) + 1000, 1, 60);
        Assert.Equal(AppendStatus.Ok, directory.Append(log, frame));
        return frame;
    }
}
