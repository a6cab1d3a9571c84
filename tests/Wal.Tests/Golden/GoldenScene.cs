using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>A simulated broker that keeps a list of what a reader must find later: from what was given to it, not from what it wrote.</summary>
internal sealed class GoldenScene
{
    private readonly SortedDictionary<ulong, DurableLog> _logs = [];
    private readonly SortedDictionary<ulong, GoldenTopic> _topics = [];
    private readonly Dictionary<(ulong Topic, long Offset), int> _positions = [];
    private readonly Random _random = new(4);
    private readonly TestClock _clock = new();
    private readonly int _journalBytes;

    /// <param name="journalBytes">Size of the commit journal; 0: none.</param>
    public GoldenScene(int journalBytes)
    {
        _journalBytes = journalBytes;
        Directory = Start();
    }

    public SimulatedFileSystem Files { get; private set; } = new();

    public SteppedDirectory Directory { get; private set; }

    public bool IsClean { get; private set; }

    public List<string> Events { get; } = [];

    public List<string> Faults { get; } = [];

    public GoldenTopic Topic(ulong id) => _topics[id];

    public DurableLog Log(ulong id) => _logs[id];

    public void Create(ulong id)
    {
        _logs[id] = Directory.Create(id);
        _topics[id] = new GoldenTopic { Id = id, Start = 0, End = 0, Producers = [], Cursors = [], Damages = [], Frames = [] };
    }

    /// <summary>Appends frames of a producer; they are durable when <paramref name="commit"/> is asked for.</summary>
    public void Append(ulong id, ulong producer, int frames, int recordBytes, bool commit = true)
    {
        for (int i = 0; i < frames; i++)
        {
            GoldenTopic topic = _topics[id];
            uint records = (uint)_random.Next(1, 4);
            ulong sequence = topic.Producers.GetValueOrDefault(producer) + 1;
            byte[] frame = TestFrames.Build(producer, sequence, (int)records, recordBytes);
            _clock.Advance(TimeSpan.FromMilliseconds(5));
            Assert.Equal(AppendStatus.Ok, Directory.Append(_logs[id], frame));
            _positions[(id, topic.End)] = (int)_logs[id].SegmentsForTest[^1].CommittedPosition - frame.Length;
            topic.Producers[producer] = sequence + records - 1;
            topic.Frames.Add(new GoldenFrame(topic.End, topic.End + records, Crc(frame)));
            _topics[id] = topic with { End = topic.End + records };
            if (commit)
            {
                Directory.RunCommits();
            }
        }
    }

    public void SaveCursor(ulong id, string subscription, byte[] state)
    {
        Directory.Directory.Cursors.Save(id, subscription, state);
        _topics[id].Cursors[subscription] = Convert.ToHexString(state);
    }

    /// <summary>Two seconds pass: durable ends, cursors and snapshots are noted.</summary>
    public void Rest()
    {
        Directory.Tick(TimeSpan.FromSeconds(2));
        Directory.RunCommits();
        Directory.Tick(TimeSpan.FromSeconds(2));
        Directory.RunCommits();
    }

    /// <summary>What is in the journal goes to the files.</summary>
    public void Checkpoint()
    {
        Directory.Tick(TimeSpan.FromSeconds(6));
        Directory.RunCommits();
        Assert.Equal(0, Directory.Directory.JournalUsedBytes);
    }

    /// <summary>What was not synced is gone.</summary>
    public void CutPower() => Files = Files.Crash(new MaskCut(0, 1));

    /// <summary>One bit in the data of the entry that holds a frame changes.</summary>
    public void DamageJournal(ulong id, int frame)
    {
        GoldenTopic topic = _topics[id];
        WrittenEntry entry = WrittenEntry.Of(Files).Single(e => e.Entry.TopicId == id && e.Entry.FirstOffset == topic.Frames[frame].Offset);
        int at = entry.Place(_journalBytes) + JournalEntry.HeadSize + 200;
        Files.FileAt($"{SteppedDirectory.Root}/{JournalOpening.FileName}").Damage(bytes => bytes[at] ^= 4);
        topic.Damages.Add(new GoldenDamage(topic.Frames[frame].Offset, topic.Frames[frame].End));
        topic.Frames.RemoveAt(frame);
    }

    public void GiveUpFront(ulong id, long start)
    {
        _logs[id].DeleteBelow(start);
        Directory.RunBackground();
        Directory.RunCommits();
        Assert.Equal(start, _logs[id].LogStart);
        _topics[id] = _topics[id] with { Start = start };
        _topics[id].Frames.RemoveAll(f => f.End <= start);
    }

    /// <summary>A deleted topic: nothing of it is found again.</summary>
    public void Delete(ulong id)
    {
        Directory.Directory.Delete(id);
        _logs.Remove(id);
        _topics.Remove(id);
    }

    /// <summary>One bit in the payload of a frame of the first segment changes.</summary>
    public void Damage(ulong id, int frame)
    {
        GoldenTopic topic = _topics[id];
        int at = _positions[(id, topic.Frames[frame].Offset)] + ProtocolLimits.HeaderSize + 50;
        Files.FileAt(_logs[id].SegmentsForTest[0].Path).Damage(bytes => bytes[at] ^= 4);
        topic.Damages.Add(new GoldenDamage(topic.Frames[frame].Offset, topic.Frames[frame].End));
        topic.Frames.RemoveAt(frame);
    }

    public void Stop()
    {
        Directory.Directory.Dispose();
        IsClean = true;
    }

    /// <summary>An orderly stop without the last record of cursors.log.</summary>
    public void StopAsOlder()
    {
        Stop();
        IsClean = false;
        SimulatedFile file = Files.FileAt(SteppedDirectory.Root + "/cursors.log");
        file.CutTo(WrittenRecord.Of(file)[^1].Position);
    }

    public void Restart()
    {
        Stop();
        Directory = Start();
        IsClean = false;
        foreach (ulong id in _topics.Keys)
        {
            _logs[id] = Directory.Open(id);
        }
    }

    public void Write(string story, string to)
    {
        SortedDictionary<string, long> lengths = GoldenPacking.Pack(Files, to);
        string[] empty = [.. Files.List(SteppedDirectory.Root + "/topics").Where(t => Files.List($"{SteppedDirectory.Root}/topics/{t}").Count == 0).Select(t => "topics/" + t)];
        var content = new GoldenContent { Story = story, Clean = IsClean, Lengths = lengths, Folders = empty.Length > 0 ? [.. empty] : null, Events = Events, Faults = Faults, Topics = [.. _topics.Values] };
        content.Write(to);
    }

    public static string Crc(ReadOnlySpan<byte> frame) => Crc32C.Compute(frame).ToString("x8", System.Globalization.CultureInfo.InvariantCulture);

    private SteppedDirectory Start() =>
        new(Files, _clock, o => o with { FirstSegmentBytes = 8 * 1024, SegmentBytes = 16 * 1024, SnapshotIntervalBytes = 8 * 1024, JournalBytes = _journalBytes });
}
