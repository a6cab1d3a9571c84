using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>The read-only look at a data directory, on real files.</summary>
public sealed class DirectoryInspectionTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task A_good_directory_is_described_and_left_as_it_is()
    {
        await FillAsync();
        Dictionary<string, (long, DateTime)> before = Files();
        DirectoryPicture picture = DirectoryInspection.Run(_temp.Root, verify: true);
        Assert.Empty(picture.Faults);
        Assert.Contains(picture.Slots, s => s is { State: SlotState.Good, IsClean: true });
        LogPicture log = Assert.Single(picture.Logs);
        Assert.Equal((5ul, 0L, 40L, true), (log.TopicId, log.LogStart, log.DurableEnd, log.IsClean));
        Assert.True(log.Segments.Count > 1 && log.Segments.All(s => s.HasHeader));
        Assert.Equal((40L, 0L), (log.Scan!.End, log.Scan.LeftBehindBytes));
        Assert.Equal("sub", Assert.Single(log.Cursors).Subscription);
        Assert.Equal(before, Files());
        Assert.Null(DirectoryInspection.Run(_temp.Root, verify: false).Logs[0].Scan);
    }

    [Fact]
    public async Task A_changed_bit_is_a_fault_of_its_offset()
    {
        await FillAsync();
        string segment = Directory.GetFiles(Path.Combine(_temp.Root, "topics", "5"), "*.log").Order(StringComparer.Ordinal).First();
        using (FileStream file = File.OpenWrite(segment))
        {
            file.Position = SegmentHeader.Size + (2 * (128 + 5 + 4003)) + 1000;
            file.WriteByte(0xAA);
        }

        DirectoryPicture picture = DirectoryInspection.Run(_temp.Root, verify: true);
        Assert.Equal([new DamagedRange(5, 2, 3)], picture.Logs[0].Scan!.Damages);
        Assert.Contains("offsets 2 to 2", Assert.Single(picture.Faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_segment_checkpoint_slot_or_snapshot_is_a_fault()
    {
        await FillAsync();
        File.Delete(Path.Combine(_temp.Root, "topics", "5", SegmentNames.Of(0)));
        File.WriteAllText(Path.Combine(_temp.Root, "topics", "5", SegmentNames.Snapshot), "nonsense");
        using (FileStream file = File.OpenWrite(Path.Combine(_temp.Root, "checkpoint")))
        {
            file.Position = 100;
            file.WriteByte(1);
        }

        DirectoryPicture picture = DirectoryInspection.Run(_temp.Root, verify: true);
        Assert.Equal(3, picture.Faults.Count);
        Assert.Equal(0, picture.Logs[0].Scan!.Damages[0].From);
    }

    [Fact]
    public async Task A_segment_of_another_topic_is_a_fault_and_so_is_what_it_stands_for()
    {
        await FillAsync();
        string folder = Directory.CreateDirectory(Path.Combine(_temp.Root, "topics", "6")).FullName;
        File.Copy(Path.Combine(_temp.Root, "topics", "5", SegmentNames.Of(0)), Path.Combine(folder, SegmentNames.Of(0)));
        DirectoryPicture picture = DirectoryInspection.Run(_temp.Root, verify: true);
        string fault = Assert.Single(picture.Faults);
        Assert.StartsWith($"Topic 6: {SegmentNames.Of(0)} is a segment of topic 5", fault, StringComparison.Ordinal);
        Assert.Equal(0, picture.Logs[1].Scan!.End);
    }

    [Fact]
    public async Task A_file_that_cannot_be_opened_is_a_fault_of_its_log_and_the_others_are_looked_at()
    {
        await FillAsync();
        Directory.CreateDirectory(Path.Combine(_temp.Root, "topics", "4", SegmentNames.Of(0))); // Where a file belongs.
        DirectoryPicture picture = DirectoryInspection.Run(_temp.Root, verify: true);
        Assert.StartsWith("Topic 4: it was not looked at: ", Assert.Single(picture.Faults), StringComparison.Ordinal);
        Assert.Equal(40, picture.Logs[1].Scan!.End);
    }

    [Fact]
    public async Task A_lost_cursor_file_is_a_fault_although_no_byte_of_it_is_bad()
    {
        await FillAsync();
        File.Delete(Path.Combine(_temp.Root, "cursors.log"));
        Assert.StartsWith("cursors.log has lost its end", Assert.Single(DirectoryInspection.Run(_temp.Root, verify: true).Faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_in_use_and_a_folder_that_is_none_are_refused_with_a_sentence()
    {
        await FillAsync();
        using (DataDirectory used = Open())
        {
            string message = Assert.Throws<DataDirectoryLockedException>(() => DirectoryInspection.Run(_temp.Root, verify: false)).Message;
            Assert.Contains(Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture), message, StringComparison.Ordinal);
            Assert.NotNull(used);
        }

        string other = Directory.CreateDirectory(Path.Combine(_temp.Root, "empty")).FullName;
        Assert.Contains("is no data directory", Assert.Throws<IOException>(() => DirectoryInspection.Run(other, verify: false)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(other));
    }

    private DataDirectory Open() => DataDirectory.Open(_temp.Root, new WalOptions { LowSpaceBytes = 0, JournalBytes = 0 });

    private async Task FillAsync()
    {
        using DataDirectory directory = Open();
        TopicLog log = directory.Create(5, DurabilityClass.Fsync, default);
        for (ulong i = 1; i <= 40; i++)
        {
            await LogDriver.AppendAsync(log, TestFrames.Build(9, i, 1, 4003)); // 4,136 bytes a frame, without padding.
        }

        byte[] cursor = [2, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0];
        await directory.Cursors.SaveDurableAsync(5, "sub", cursor);
    }

    private Dictionary<string, (long, DateTime)> Files() =>
        Directory.GetFiles(_temp.Root, "*", SearchOption.AllDirectories).ToDictionary(f => f, f => (new FileInfo(f).Length, File.GetLastWriteTimeUtc(f)));
}
