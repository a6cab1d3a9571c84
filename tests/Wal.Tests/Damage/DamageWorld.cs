using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>How the machine of a <see cref="DamageWorld"/> stopped.</summary>
public enum StopKind
{
    /// <summary>In order: everything is acknowledged, the checkpoint is clean.</summary>
    Clean,

    /// <summary>Killed, the durable ends are in cursors.log, the last frames are not acknowledged.</summary>
    Recorded,

    /// <summary>Killed before the durable ends were noted: only frames prove what was acknowledged.</summary>
    Unrecorded,

    /// <summary>The power went: what was not synced is gone. With a journal the last acknowledged frames are in it and nowhere else.</summary>
    PowerCut,
}

/// <summary>
/// A data directory on segments of 64 KiB, written once and frozen; each case damages a copy. Topic 1 takes the damage, topics 2 and 3 look on.
/// </summary>
internal sealed class DamageWorld
{
    public const int SegmentBytes = 64 * 1024;
    public const ulong Victim = 1;
    public const int Topics = 3;
    public const ulong EarlyProducer = 99;
    private readonly Random _random;
    private readonly int _journalBytes;
    private SteppedDirectory _directory;
    private DurableLog[] _logs;

    private DamageWorld(int seed, StopKind stop, int journalBytes)
    {
        Stop = stop;
        _journalBytes = journalBytes;
        _random = new Random(seed);
        _directory = new SteppedDirectory(new SimulatedFileSystem(), Clock, Configure);
        _logs = [.. Enumerable.Range(1, Topics).Select(i => _directory.Create((ulong)i))];
        Written = [.. Enumerable.Range(1, Topics).Select(i => new WrittenLog((ulong)i))];
    }

    public TestClock Clock { get; } = new();

    /// <summary>By topic id - 1.</summary>
    public WrittenLog[] Written { get; }

    public WrittenLog Log => Written[Victim - 1];

    /// <summary>Every state that a cursor ever had, oldest first, by topic id - 1.</summary>
    public List<byte[]>[] Cursors { get; } = [.. Enumerable.Range(0, Topics).Select(_ => new List<byte[]>())];

    /// <summary>Every log start that a record of topic 3 ever named.</summary>
    public List<long> Starts { get; } = [0];

    public StopKind Stop { get; }

    /// <summary>The frozen files, all of them on the disk.</summary>
    public SimulatedFileSystem Image { get; private set; } = new();

    public WalOptions Configure(WalOptions options) => options with { FirstSegmentBytes = SegmentBytes, SegmentBytes = SegmentBytes, JournalBytes = _journalBytes, CheckpointIntervalMs = 3_600_000 };

    /// <summary>The same world for the same arguments.</summary>
    /// <param name="stop">Its end.</param>
    /// <param name="seed">Of sizes and moments.</param>
    /// <param name="journalBytes">Size of the commit journal; 0: none.</param>
    public static DamageWorld Build(StopKind stop, int seed = 1, int journalBytes = 0)
    {
        var world = new DamageWorld(seed, stop, journalBytes);
        world.Fill();
        world.Freeze();
        return world;
    }

    public string PathOf(int segment) => Log.Segments[segment].Path;

    /// <summary>What the bytes of one damaged segment leave of the victim.</summary>
    public ExpectedLog WhatIsLeft(SimulatedFileSystem image, int segment)
    {
        SimulatedFile file = image.FileAt(PathOf(segment));
        ReadOnlySpan<byte> header = Image.FileAt(PathOf(segment)).Cache.AsSpan(0, SegmentHeader.Size);
        bool hasHeader = file.Length >= header.Length && file.Cache.AsSpan(0, header.Length).SequenceEqual(header);
        return ExpectedLog.Of(
            Log,
            Log.Recorded,
            f => f.Segment != segment || (f.EndPosition <= file.Length && file.Cache.AsSpan(f.Position, f.Bytes.Length).SequenceEqual(f.Bytes)),
            s => s != segment || hasHeader);
    }

    /// <summary>What the undamaged files of a log and some entries of the journal leave of it.</summary>
    public ExpectedLog WhatIsLeft(WrittenLog log, List<WrittenEntry> entries)
    {
        long recorded = Math.Max(log.Recorded, entries.Where(e => e.Entry.TopicId == log.TopicId).Select(e => e.Entry.EndOffset).DefaultIfEmpty().Max());
        bool IsIn(WrittenSegment segment, long position, ReadOnlySpan<byte> bytes) =>
            Image.FileExists(segment.Path) && Image.FileAt(segment.Path) is { } file && position + bytes.Length <= file.Length
            && file.Cache.AsSpan((int)position, bytes.Length).SequenceEqual(bytes);
        return ExpectedLog.Of(
            log,
            recorded,
            f => IsIn(log.Segments[f.Segment], f.Position, f.Bytes) || entries.Any(e => e.Covers(log.TopicId, log.Segments[f.Segment], f.Position, f.Bytes.Length)),
            s => IsIn(log.Segments[s], 0, log.Segments[s].Header) || entries.Any(e => e.Covers(log.TopicId, log.Segments[s], 0, SegmentHeader.Size)));
    }

    private void Fill()
    {
        // Of this producer nothing comes later: after a snapshot it is in there and nowhere else that is replayed.
        Append(0, 20, EarlyProducer);

        // Segment after segment, until the third is half full. Each frame is acknowledged before the next one comes, so it proves the one before.
        int segments = 1;
        while (_logs[0].SegmentsForTest.Count < 3 || _logs[0].SegmentsForTest[2].CommittedPosition < SegmentBytes / 2)
        {
            Append(0, _random.Next(4) == 0 ? _random.Next(6000) : _random.Next(400));
            if (_random.Next(6) == 0)
            {
                Append(1, _random.Next(500));
                Append(2, _random.Next(300));
                SaveCursors();
            }

            _directory.RunCommits();
            _directory.RunBackground();
            if (Written[^1].Frames.Count == Starts.Count * 6 && Starts.Count < 3)
            {
                GiveUpFront();
            }

            if (_logs[0].SegmentsForTest.Count > segments)
            {
                segments++;
                StopAndStart();
            }

            if (_random.Next(8) == 0)
            {
                _directory.Tick(TimeSpan.FromMilliseconds(600)); // Ends, cursors and snapshots are noted.
                _directory.RunCommits();
                NoteRecorded();
            }
        }

        Assert.Equal(3, Starts.Count);
        if (Stop == StopKind.Clean)
        {
            StopAndStart();
        }

        if (Stop == StopKind.Recorded)
        {
            _directory.Tick(TimeSpan.FromSeconds(2));
            _directory.RunCommits();
            NoteRecorded();
        }

        for (int i = 0; i < Topics; i++)
        {
            Written[i].Acknowledged = _logs[i].Durable;
        }

        for (int i = 0; i < 6; i++)
        {
            Append(0, 50 + (i * 100));
            Append(1, 30);
        }
    }

    // The start of topic 3 lies behind its first frames, inside of its only segment.
    private void GiveUpFront()
    {
        DurableLog log = _logs[^1];
        log.DeleteBelow(Written[^1].Frames[Starts.Count * 3].Offset);
        _directory.RunBackground();
        _directory.Tick(TimeSpan.FromSeconds(1));
        _directory.RunCommits();
        NoteRecorded();
        Starts.Add(log.LogStart);
        Assert.Equal(Written[^1].Frames[(Starts.Count - 1) * 3].Offset, log.LogStart);
    }

    // A clean stop earlier: its records say "closed cleanly" at an end that is not the last one, and a slot of the checkpoint says clean.
    private void StopAndStart()
    {
        _directory.Directory.Dispose();
        _directory = new SteppedDirectory(_directory.Files, Clock, Configure);
        _logs = [.. Written.Select(w => _directory.Open(w.TopicId))];
        NoteRecorded();
    }

    private void Append(int topic, int recordBytes, ulong? producer = null)
    {
        WrittenLog written = Written[topic];
        byte[] frame = TestFrames.Build(producer ?? written.ProducerId, written.LastSequenceBelow(long.MaxValue) + 1, producer is null ? _random.Next(1, 4) : 1, recordBytes);
        Assert.Equal(AppendStatus.Ok, _directory.Append(_logs[topic], frame));
        IReadOnlyList<Segment> segments = _logs[topic].SegmentsForTest;
        written.Frames.Add(new WrittenFrame(segments.Count - 1, (int)segments[^1].CommittedPosition - frame.Length, frame));
    }

    private void SaveCursors()
    {
        for (int i = 0; i < Topics; i++)
        {
            byte[] state = [(byte)i, .. BitConverter.GetBytes(Cursors[i].Count), .. new byte[_random.Next(40)]];
            _directory.Directory.Cursors.Save(Written[i].TopicId, "sub", state);
            Cursors[i].Add(state);
        }
    }

    // The ends that a sync of cursors.log has covered.
    private void NoteRecorded()
    {
        for (int i = 0; i < Topics; i++)
        {
            Written[i].Recorded = _directory.Directory.Store.TryGetLog(Written[i].TopicId, out LogState state) ? state.DurableEnd : 0;
        }
    }

    private void Freeze()
    {
        for (int i = 0; i < Topics; i++)
        {
            foreach (Segment segment in _logs[i].SegmentsForTest)
            {
                SimulatedFile file = _directory.Files.FileAt(segment.Path);
                Assert.True(SegmentHeader.TryRead(file.Cache, out SegmentHeader header));
                int at = Written[i].Segments.Count;
                Written[i].Segments.Add(new WrittenSegment(segment.Path, segment.BaseOffset, header.DurableEnd, Written[i].Frames.Last(f => f.Segment == at).EndPosition, file.Length, file.Cache.AsSpan(0, SegmentHeader.Size).ToArray()));
            }
        }

        if (Stop == StopKind.Clean)
        {
            _directory.Directory.Dispose();
            foreach (WrittenLog log in Written)
            {
                log.Acknowledged = log.Recorded = log.End;
            }
        }

        Image = Stop == StopKind.PowerCut ? _directory.Files.Crash(new MaskCut(0, 1)) : _directory.Files.CopyAsSynced();
    }
}
