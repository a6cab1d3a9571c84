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
}

/// <summary>
/// A data directory on segments of 64 KiB, written once and frozen; each case damages a copy. Topic 1 takes the damage, topics 2 and 3 look on.
/// </summary>
internal sealed class DamageWorld
{
    public const int SegmentBytes = 64 * 1024;
    public const ulong Victim = 1;
    public const int Topics = 3;
    private readonly SteppedDirectory _directory;
    private readonly DurableLog[] _logs;
    private readonly Random _random;

    private DamageWorld(int seed)
    {
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

    public StopKind Stop { get; private set; }

    /// <summary>The frozen files, all of them on the disk.</summary>
    public SimulatedFileSystem Image { get; private set; } = new();

    public static WalOptions Configure(WalOptions options) => options with { FirstSegmentBytes = SegmentBytes, SegmentBytes = SegmentBytes };

    /// <summary>The same world for the same arguments.</summary>
    public static DamageWorld Build(StopKind stop, int seed = 1)
    {
        var world = new DamageWorld(seed) { Stop = stop };
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

    private void Fill()
    {
        // Segment after segment, until the third is half full. Each frame is acknowledged before the next one comes, so it proves the one before.
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
            if (_random.Next(20) == 0)
            {
                _directory.Tick(TimeSpan.FromMilliseconds(600)); // Ends, cursors and snapshots are noted.
                _directory.RunCommits();
                NoteRecorded();
            }
        }

        if (Stop != StopKind.Unrecorded)
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

    private void Append(int topic, int recordBytes)
    {
        WrittenLog written = Written[topic];
        byte[] frame = TestFrames.Build(written.ProducerId, written.LastSequenceBelow(long.MaxValue) + 1, _random.Next(1, 4), recordBytes);
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
                Written[i].Segments.Add(new WrittenSegment(segment.Path, segment.BaseOffset, header.DurableEnd, Written[i].Frames.Last(f => f.Segment == at).EndPosition, file.Length));
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

        Image = _directory.Files.CopyAsSynced();
    }
}
