namespace Danube.Fast.Wal.Tests;

/// <summary>
/// The checkpoint cut at every byte and with every bit flipped: no log loses anything, generations go on above all used ones, and the clean flag
/// counts only from the newest slot.
/// </summary>
public sealed class CheckpointDamageTests
{
    private const string Path = SteppedDirectory.Root + "/checkpoint";
    private const int Bytes = 2 * CheckpointSlot.Size;

    [Theory]
    [InlineData(StopKind.Clean)]
    [InlineData(StopKind.Recorded)]
    public void A_damaged_checkpoint_costs_no_frame_and_no_generation(StopKind stop)
    {
        DamageWorld world = DamageWorld.Build(stop);
        var cuts = new DamageCounts($"checkpoint cut, stop {stop}");
        var flips = new DamageCounts($"checkpoint bits flipped, stop {stop}");
        foreach (int cut in Sample.Of(Bytes + 1, 100, [0, 48, CheckpointSlot.Size, CheckpointSlot.Size + 48, Bytes]))
        {
            Try(world, new DamageCheck(world, cuts), $"cut at {cut}", file => file.CutTo(cut));
            Try(world, new DamageCheck(world, cuts), $"zeros from {cut}", file => file.Damage(bytes => bytes.AsSpan(cut..Bytes).Clear()));
            Try(world, new DamageCheck(world, cuts), $"zeros up to {cut}", file => file.Damage(bytes => bytes.AsSpan(0, cut).Clear()));
        }

        foreach (int bit in Sample.Of(Bytes * 8, 200, [0, 48 * 8, CheckpointSlot.Size * 8, (CheckpointSlot.Size + 48) * 8, Bytes * 8]))
        {
            Try(world, new DamageCheck(world, flips), $"bit {bit} flipped", file => file.Damage(bytes => bytes[bit / 8] ^= (byte)(1 << (bit % 8))));
        }

        cuts.Report();
        flips.Report();
    }

    private static void Try(DamageWorld world, DamageCheck check, string name, Action<SimulatedFile> damage)
    {
        SimulatedFileSystem image = world.Image.CopyAsSynced();
        SimulatedFile file = image.FileAt(Path);
        damage(file);
        bool isClean = world.Stop == StopKind.Clean && NewestOf(file) == NewestOf(world.Image.FileAt(Path));
        Case.Named(name, () => check.Run(image, ExpectedLog.Whole(world.Log), opened =>
        {
            if (!isClean)
            {
                Assert.False(opened.Directory.WasClosedCleanly);
            }
        }));
    }

    private static ulong NewestOf(SimulatedFile file)
    {
        ulong newest = 0;
        for (int at = 0; at + CheckpointSlot.Size <= file.Length; at += CheckpointSlot.Size)
        {
            newest = CheckpointSlot.TryRead(file.Cache.AsSpan(at), out CheckpointSlot slot) ? Math.Max(newest, slot.Number) : newest;
        }

        return newest;
    }
}
