namespace Danube.Fast.Wal.Tests;

/// <summary>
/// cursors.log cut at every byte and with every bit flipped: logs keep every frame, cursors and log starts are those of a record that is still
/// whole, and one damaged record costs itself only when a later sync proves that it was on the disk.
/// </summary>
public sealed class CursorLogDamageTests
{
    private const string Path = SteppedDirectory.Root + "/cursors.log";
    private static readonly string Key = Convert.ToHexString(StateStore.CursorKey(DamageWorld.Victim, "sub"));

    [Theory]
    [InlineData(StopKind.Clean)]
    [InlineData(StopKind.Recorded)]
    [InlineData(StopKind.Unrecorded)]
    public void A_damaged_cursor_log_costs_no_frame_and_invents_no_cursor(StopKind stop)
    {
        DamageWorld world = DamageWorld.Build(stop);
        SimulatedFile whole = world.Image.FileAt(Path);
        List<WrittenRecord> records = WrittenRecord.Of(whole);
        Assert.True(records.Count > 40, $"{records.Count} records.");
        var cuts = new DamageCounts($"cursors.log cut, stop {stop}");
        var flips = new DamageCounts($"cursors.log bits flipped, stop {stop}");
        int[] edges = [0, RecordFormat.HeaderSize, .. records.Select(r => r.End)];
        foreach (int cut in Sample.Of(whole.Length + 1, 60, edges))
        {
            Try(world, records, cuts, $"cut at {cut}", file => file.CutTo(cut));
            Try(world, records, cuts, $"zeros from {cut}", file => file.Damage(bytes => bytes.AsSpan(cut).Clear()));
        }

        foreach (int bit in Sample.Of(whole.Length * 8, 400, edges.Select(e => e * 8).TakeLast(20)))
        {
            Try(world, records, flips, $"bit {bit} flipped", file => file.Damage(bytes => bytes[bit / 8] ^= (byte)(1 << (bit % 8))));
        }

        cuts.Report();
        flips.Report();
    }

    private static void Try(DamageWorld world, List<WrittenRecord> records, DamageCounts counts, string name, Action<SimulatedFile> damage)
    {
        SimulatedFileSystem image = world.Image.CopyAsSynced();
        SimulatedFile file = image.FileAt(Path);
        damage(file);
        WrittenRecord[] left = [.. records.Where(r => r.IsIn(file))];
        WrittenRecord[] prefix = [.. records.TakeWhile(r => r.IsIn(file))];
        var check = new DamageCheck(world, counts);
        Case.Named(name, () => check.Run(image, ExpectedLog.Whole(world.Log), opened => CheckCursor(opened, left, prefix), world.Starts));
    }

    [Fact]
    public void An_orderly_stop_whose_records_are_gone_is_told()
    {
        DamageWorld world = DamageWorld.Build(StopKind.Clean);
        foreach (WrittenRecord record in WrittenRecord.Of(world.Image.FileAt(Path)).TakeLast(8))
        {
            SimulatedFileSystem image = world.Image.CopyAsSynced();
            image.FileAt(Path).CutTo(record.Position);
            var opened = new SteppedDirectory(image, world.Clock);
            Assert.False(opened.Directory.WasClosedCleanly);
            Assert.Contains(opened.Events, e => e.Kind == WalEventKind.CursorsDamaged);
        }
    }

    // Either the bad place was skipped or the file ends there.
    private static void CheckCursor(SteppedDirectory opened, WrittenRecord[] left, WrittenRecord[] prefix)
    {
        string? found = Text(opened.Directory.Cursors.Load(DamageWorld.Victim, "sub"));
        Assert.Contains(found, new[] { Text(Last(left)), Text(Last(prefix)) });
    }

    private static byte[]? Last(WrittenRecord[] records) => records.LastOrDefault(r => r.Key == Key)?.Value;

    private static string? Text(byte[]? value) => value is null ? null : Convert.ToHexString(value);
}
