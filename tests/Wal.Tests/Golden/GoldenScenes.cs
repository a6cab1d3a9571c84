using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>The stories of the golden directories. A new format version gets a folder of its own; written ones are never changed.</summary>
internal static partial class GoldenScenes
{
    private static readonly byte[] Cursor = [2, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0];

    /// <summary>By the name of the directory: version 1 from before there was a commit journal, and with one.</summary>
    public static IReadOnlyDictionary<string, (string Story, Action<GoldenScene> Play)> All { get; } =
        WithoutJournal().Select(s => ("v1/" + s.Key, s.Value)).Concat(WithJournal().Select(s => ("v1-journal/" + s.Key, s.Value))).ToDictionary();

    /// <summary>Size of the journal of a scene.</summary>
    public static int JournalBytesOf(string name) => name.StartsWith("v1/", StringComparison.Ordinal) ? 0 : 256 * 1024;

    private static Dictionary<string, (string, Action<GoldenScene>)> WithoutJournal() => new()
    {
        ["clean-stop"] = ("Two topics, an orderly stop, another start and an orderly stop.", CleanStop),
        ["clean-stop-older"] = ("An orderly stop of a broker that did not note its incarnation in cursors.log yet: the logs are scanned.", OlderCleanStop),
        ["killed"] = ("Killed with acknowledged frames, whole unacknowledged ones behind them, and one of which only the header was written.", Killed),
        ["poisoned"] = ("A sync of topic 1 failed (its marker is in cursors.log), topic 2 went on; then killed.", Poisoned),
        ["segments"] = ("Several segments with end markers, killed after the durable end had been noted.", Segments),
        ["cursors-snapshots"] = ("Cursors, producers in a snapshot, a log start inside of a frame, segments given up in front; an orderly stop.", CursorsAndSnapshots),
        ["deleted"] = ("Topic 2 deleted: its renamed directory and a prepared segment and a temporary snapshot of topic 1 are still there; killed.", Deleted),
        ["damaged"] = ("One bit of an acknowledged frame has changed, and so has one of the older slot of the checkpoint; killed.", Damaged),
    };

    private static void CleanStop(GoldenScene scene)
    {
        scene.Create(1);
        scene.Create(2);
        scene.Append(1, 11, 6, 100);
        scene.Append(2, 12, 2, 1000);
        scene.Restart();
        scene.Append(1, 11, 3, 40);
        scene.Stop();
    }

    private static void OlderCleanStop(GoldenScene scene)
    {
        scene.Create(1);
        scene.Append(1, 11, 6, 100);
        scene.SaveCursor(1, "billing", Cursor);
        scene.StopAsOlder();
    }

    private static void Killed(GoldenScene scene)
    {
        scene.Create(1);
        scene.Append(1, 11, 5, 200);
        scene.Rest();
        scene.Append(1, 11, 2, 300, commit: false);
        byte[] torn = TestFrames.Build(11, 100, 1, 700);
        Assert.Equal(Core.AppendStatus.Ok, scene.Directory.Append(scene.Log(1), torn));
        Segment segment = scene.Log(1).SegmentsForTest[0];
        int from = (int)segment.CommittedPosition - torn.Length + ProtocolLimits.HeaderSize;
        scene.Files.FileAt(segment.Path).Damage(bytes => bytes.AsSpan(from, torn.Length - ProtocolLimits.HeaderSize).Clear());
        scene.Events.Add(nameof(WalEventKind.TornTail));
    }

    private static void Poisoned(GoldenScene scene)
    {
        scene.Create(1);
        scene.Create(2);
        scene.Append(1, 11, 4, 200);
        scene.Append(2, 12, 2, 200);
        scene.Rest();
        string folder = Path.GetDirectoryName(scene.Log(1).SegmentsForTest[0].Path)!;
        scene.Files.Before = (call, file) =>
        {
            if (call == FileCall.Sync && Path.GetDirectoryName(file) == folder)
            {
                throw new IOException("The disk failed.");
            }
        };
        scene.Append(1, 11, 1, 200);
        scene.Files.Before = null;
        scene.Append(2, 12, 2, 200);
        scene.Rest();
        scene.Events.Add(nameof(WalEventKind.Unpoisoned));
        scene.Faults.Add("Topic 1: a write or sync failed; the log is good up to offset ");
    }

    private static void Segments(GoldenScene scene)
    {
        scene.Create(1);
        scene.Append(1, 11, 30, 700);
        scene.Rest();
        scene.Append(1, 11, 4, 700);
        Assert.True(scene.Log(1).SegmentsForTest.Count >= 3);
    }

    private static void CursorsAndSnapshots(GoldenScene scene)
    {
        scene.Create(1);
        scene.Create(2);
        for (ulong producer = 11; producer < 14; producer++)
        {
            scene.Append(1, producer, 12, 500);
            scene.Rest();
        }

        scene.SaveCursor(1, "billing", Cursor);
        scene.SaveCursor(1, "größe", [2, 9, 9]);
        scene.SaveCursor(2, "audit", Cursor);
        scene.Append(2, 12, 1, 10);
        scene.Rest();
        Segment second = scene.Log(1).SegmentsForTest[1];
        scene.GiveUpFront(1, second.BaseOffset + 1);
        scene.Rest();
        Assert.Equal(second, scene.Log(1).SegmentsForTest[0]);
        scene.Stop();
        scene.Faults.Add("Topic 1: the cursor of subscription größe cannot be read.");
    }

    private static void Deleted(GoldenScene scene)
    {
        scene.Create(1);
        scene.Create(2);
        scene.Append(1, 11, 5, 300);
        scene.Append(2, 12, 5, 300);
        scene.Rest();
        scene.Delete(2);
        scene.Directory.Tick(TimeSpan.FromSeconds(2));
        scene.Directory.RunCommits(); // Its records; the files wait for the cleaner.
        string topic = Path.GetDirectoryName(scene.Log(1).SegmentsForTest[0].Path)!;
        scene.Files.CreateAllocated(topic + "/prepared-77", 16 * 1024).Dispose();
        using WalFile snapshot = scene.Files.Create($"{topic}/{SegmentNames.Snapshot}.tmp");
        snapshot.Write([1, 2, 3], 0);
    }

    private static void Damaged(GoldenScene scene)
    {
        scene.Create(1);
        scene.Append(1, 11, 8, 300);
        scene.Rest();
        GoldenFrame hurt = scene.Topic(1).Frames[3];
        scene.Damage(1, 3);
        scene.Files.FileAt(SteppedDirectory.Root + "/checkpoint").Damage(bytes => bytes[60] ^= 1); // Of the slot with the even numbers.
        scene.Events.Add(nameof(WalEventKind.Damaged));
        scene.Faults.Add("Slot 0 of the checkpoint cannot be read.");
        scene.Faults.Add($"Topic 1: offsets {hurt.Offset} to {hurt.End - 1} were acknowledged and cannot be read.");
    }
}
