namespace Danube.Fast.Wal.Tests;

/// <summary>The producer snapshot cut at every byte and with every bit flipped: it costs a replay, never a sequence.</summary>
public sealed class SnapshotDamageTests
{
    private static readonly string Path = $"{SteppedDirectory.Root}/topics/{DamageWorld.Victim}/{SegmentNames.Snapshot}";

    [Theory]
    [InlineData(StopKind.Clean)]
    [InlineData(StopKind.Recorded)]
    public void A_damaged_snapshot_costs_a_replay_only(StopKind stop)
    {
        DamageWorld world = DamageWorld.Build(stop);
        var counts = new DamageCounts($"producer snapshot damaged, stop {stop}");
        var check = new DamageCheck(world, counts);
        int length = world.Image.FileAt(Path).Length;
        foreach (int cut in Sample.Of(length + 1, 100, [0, SnapshotFile.HeadSize, length]))
        {
            Try(world, check, $"cut at {cut}", file => file.CutTo(cut));
            Try(world, check, $"zeros from {cut}", file => file.Damage(bytes => bytes.AsSpan(cut).Clear()));
        }

        foreach (int bit in Sample.Of(length * 8, 200, [0, SnapshotFile.HeadSize * 8, length * 8]))
        {
            Try(world, check, $"bit {bit} flipped", file => file.Damage(bytes => bytes[bit / 8] ^= (byte)(1 << (bit % 8))));
        }

        counts.Report();
    }

    private static void Try(DamageWorld world, DamageCheck check, string name, Action<SimulatedFile> damage)
    {
        SimulatedFileSystem image = world.Image.CopyAsSynced();
        damage(image.FileAt(Path));
        Case.Named(name, () => check.Run(image, ExpectedLog.Whole(world.Log)));
    }
}
