namespace Danube.Fast.Wal.Tests;

// With a commit journal.
internal static partial class GoldenScenes
{
    private static Dictionary<string, (string, Action<GoldenScene>)> WithJournal() => new()
    {
        ["clean-stop"] = ("Two topics that commit through the journal, an orderly stop, another start and an orderly stop.", CleanStop),
        ["killed"] = ("Killed: acknowledged frames are in the journal and in the files, unacknowledged ones in a file only.", JournalKilled),
        ["power-cut"] = ("The power went behind a checkpoint: the frames since are in the journal only, and so is the whole segment of topic 3.", JournalPowerCut),
        ["poisoned"] = ("The file of topic 1 could not be synced by a checkpoint; the journal went on keeping what it lacks. Then the power went.", JournalPoisoned),
        ["damaged"] = ("The power went, and one bit of an entry that was needed has changed.", JournalDamaged),
    };

    private static void FillJournal(GoldenScene scene)
    {
        scene.Create(1);
        scene.Create(2);
        scene.Append(1, 11, 4, 200);
        scene.Append(2, 12, 3, 100);
        scene.SaveCursor(1, "billing", Cursor);
        scene.Rest();
        scene.Checkpoint();
        scene.Append(1, 11, 3, 200);
        scene.Append(2, 12, 2, 100);
    }

    private static void JournalKilled(GoldenScene scene)
    {
        FillJournal(scene);
        scene.Append(1, 11, 2, 150, commit: false);
    }

    private static void JournalPowerCut(GoldenScene scene)
    {
        FillJournal(scene);
        scene.Create(3);
        scene.Append(3, 13, 5, 80);
        scene.CutPower();
    }

    private static void JournalPoisoned(GoldenScene scene)
    {
        FillJournal(scene);
        string folder = Path.GetDirectoryName(scene.Log(1).SegmentsForTest[0].Path)!;
        scene.Files.Before = (call, file) =>
        {
            if (call == FileCall.Sync && Path.GetDirectoryName(file) == folder)
            {
                throw new IOException("The disk failed.");
            }
        };
        scene.Directory.Tick(TimeSpan.FromSeconds(6));
        scene.Directory.RunCommits();
        scene.Append(2, 12, 3, 100);
        scene.Files.Before = null;
        scene.CutPower();
        scene.Events.Add(nameof(WalEventKind.Unpoisoned));
        scene.Faults.Add("Topic 1: a write or sync failed; the log is good up to offset ");
    }

    private static void JournalDamaged(GoldenScene scene)
    {
        FillJournal(scene);
        scene.CutPower();
        GoldenFrame hurt = scene.Topic(1).Frames[5];
        scene.DamageJournal(1, 5);
        scene.Events.Add(nameof(WalEventKind.JournalDamaged));
        scene.Events.Add(nameof(WalEventKind.Damaged));
        scene.Faults.Add(""); // So many bytes of the commit journal.
        scene.Faults.Add($"Topic 1: offsets {hurt.Offset} to {hurt.End - 1} were acknowledged and cannot be read.");
    }
}
