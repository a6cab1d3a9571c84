using Danube.Fast.Wal;

namespace Danube.Fast.Metadata.Tests;

public sealed class EmbeddedMetadataStoreTests : MetadataStoreContract, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("danube-metadata-").FullName;

    private string FilePath => Path.Combine(_directory, EmbeddedMetadataStore.FileName);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    protected override ValueTask<IMetadataStore> OpenAsync() => ValueTask.FromResult<IMetadataStore>(EmbeddedMetadataStore.Open(_directory));

    [Fact]
    public async Task A_torn_tail_loses_only_what_was_not_answered()
    {
        await using (IMetadataStore store = await OpenAsync())
        {
            await store.PutAsync("/a", Bytes("answered"));
            await store.PutAsync("/b", Bytes("torn"));
        }

        Change(file => file.SetLength(file.Length - 9));
        await using EmbeddedMetadataStore reopened = EmbeddedMetadataStore.Open(_directory);
        Assert.Equal(0, reopened.DamagedBytes);
        Assert.NotNull(await reopened.GetAsync("/a"));
        Assert.Null(await reopened.GetAsync("/b"));
        Assert.True((await reopened.PutAsync("/c", Bytes("goes on"))).Succeeded);
    }

    [Fact]
    public async Task Damage_inside_the_file_is_reported_and_costs_no_other_entry()
    {
        await using (IMetadataStore store = await OpenAsync())
        {
            await store.PutAsync("/a", Bytes("before"));
            await store.PutAsync("/b", Bytes("THE DAMAGED ONE"));
            await store.PutAsync("/c", Bytes("after"));
        }

        Change(file =>
        {
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            file.Position = bytes.AsSpan().IndexOf("DAMAGED"u8);
            file.WriteByte((byte)'d');
        });
        await using EmbeddedMetadataStore reopened = EmbeddedMetadataStore.Open(_directory);
        Assert.True(reopened.DamagedBytes > 0);
        Assert.NotNull(await reopened.GetAsync("/a"));
        Assert.Null(await reopened.GetAsync("/b"));
        Assert.NotNull(await reopened.GetAsync("/c"));
    }

    [Fact]
    public async Task Damage_at_the_end_of_the_file_cannot_be_told_from_a_torn_change_and_is_counted()
    {
        await using (IMetadataStore store = await OpenAsync())
        {
            await store.PutAsync("/a", Bytes("before"));
            await store.PutAsync("/b", Bytes("the last"));
        }

        Change(file =>
        {
            file.Position = file.Length - 12;
            file.WriteByte((byte)'d');
        });
        await using (EmbeddedMetadataStore reopened = EmbeddedMetadataStore.Open(_directory))
        {
            Assert.Equal(0, reopened.DamagedBytes);
            Assert.True(reopened.TornBytes > 0);
            Assert.NotNull(await reopened.GetAsync("/a"));
        }

        await using EmbeddedMetadataStore again = EmbeddedMetadataStore.Open(_directory);
        Assert.Equal(0, again.TornBytes);
    }

    [Fact]
    public async Task A_change_that_the_disk_refused_is_not_made_and_the_store_heals()
    {
        var disk = new FullDisk();
        await using (IMetadataStore store = EmbeddedMetadataStore.Open(_directory, disk, TimeProvider.System))
        {
            MetadataUpdate first = await store.PutAsync("/a", Bytes("1"));
            disk.IsFull = true;
            await Assert.ThrowsAnyAsync<IOException>(async () => await store.PutAsync("/a", Bytes("refused")));
            await Assert.ThrowsAnyAsync<IOException>(async () => await store.PutAsync("/b", Bytes("refused")));
            await Assert.ThrowsAnyAsync<IOException>(async () => await store.DeleteAsync("/a"));
            Assert.Equal(first.Revision, (await store.ListAsync("")).Revision);
            disk.IsFull = false;
            await store.PutAsync("/c", Bytes("2"));
            Assert.Equal(["/a", "/c"], (await store.ListAsync("")).Entries.Select(e => e.Key));
        }

        await using IMetadataStore reopened = await OpenAsync();
        Assert.Equal(["/a=1", "/c=2"], (await reopened.ListAsync("")).Entries.Select(e => e.Key + "=" + Text(e.Value)));
    }

    [Fact]
    public void An_entry_of_a_newer_version_is_refused_not_guessed()
    {
        using (RecordLog log = RecordLog.Open(FilePath, WalFileSystem.Native))
        {
            log.Append("/a"u8, [9, .. new byte[30]]);
            log.Sync();
        }

        Assert.Throws<InvalidDataException>(() => EmbeddedMetadataStore.Open(_directory));
    }

    [Fact]
    public async Task A_watch_of_forgotten_changes_is_told_to_list_again()
    {
        await using (IMetadataStore store = await OpenAsync())
        {
            await store.PutAsync("/a", Bytes("1"));
            await store.PutAsync("/a", Bytes("2"));
        }

        await using IMetadataStore reopened = await OpenAsync();
        var e = await Assert.ThrowsAsync<MetadataCompactedException>(() => TakeAsync(reopened.WatchAsync("", 1), 1));
        Assert.Equal((1, 3), (e.RequestedRevision, e.FirstRevision));
    }

    [Fact]
    public async Task Many_changes_of_one_key_leave_a_small_file()
    {
        var value = new byte[64 * 1024];
        await using (IMetadataStore store = await OpenAsync())
        {
            for (int i = 0; i < 200; i++)
            {
                value[0] = (byte)i;
                await store.PutAsync("/a", value);
            }
        }

        Assert.InRange(new FileInfo(FilePath).Length, 1, 8 * 1024 * 1024);
        await using IMetadataStore reopened = await OpenAsync();
        MetadataEntry entry = (await reopened.GetAsync("/a"))!;
        Assert.Equal(((byte)199, 200L, 1L), (entry.Value.Span[0], entry.Revision, entry.CreatedRevision));
    }

    [Fact]
    public async Task Leased_keys_die_with_the_process_and_their_revisions_are_not_used_again()
    {
        long last;
        await using (IMetadataStore store = await OpenAsync())
        {
            await store.PutAsync("/stays", Bytes("1"));
            await store.PutAsync("/tied", Bytes("1"));
            MetadataLease lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(60));
            await store.CommitAsync(new MetadataTransaction().Put("/member", Bytes("1"), lease.Id));
            last = (await store.CommitAsync(new MetadataTransaction().Put("/tied", Bytes("2"), lease.Id))).Revision;
        }

        await using IMetadataStore reopened = await OpenAsync();
        Assert.Equal(["/stays"], (await reopened.ListAsync("")).Entries.Select(e => e.Key));
        Assert.Equal(last + 1, (await reopened.PutAsync("/new", Bytes("1"))).Revision);
    }

    [Fact]
    public async Task A_transaction_cut_short_by_a_crash_is_there_whole_or_not_at_all()
    {
        await using (IMetadataStore store = await OpenAsync())
        {
            await store.PutAsync("/old", Bytes("1"));
            await store.PutAsync("/kept", Bytes("1"));
        }

        long before = new FileInfo(FilePath).Length;
        await using (IMetadataStore store = await OpenAsync())
        {
            await store.CommitAsync(new MetadataTransaction().Put("/a", Bytes("new")).Put("/kept", Bytes("2")).Delete("/old").Put("/z", Bytes("new")));
        }

        byte[] whole = await File.ReadAllBytesAsync(FilePath);
        var seen = new HashSet<string>();
        for (int cut = (int)before; cut <= whole.Length; cut += 8)
        {
            await File.WriteAllBytesAsync(FilePath, whole[..cut]);
            await using IMetadataStore reopened = await OpenAsync();
            MetadataListing listing = await reopened.ListAsync("");
            seen.Add(string.Join(' ', listing.Entries.Select(e => $"{e.Key}={Text(e.Value)}")));
            Assert.True(listing.Entries.All(e => e.Revision <= listing.Revision));
        }

        Assert.Equal(["/kept=1 /old=1", "/a=new /kept=2 /z=new"], seen);
    }

    [Fact]
    public async Task A_later_change_is_not_undone_by_the_transaction_before_it()
    {
        await using (IMetadataStore store = await OpenAsync())
        {
            await store.CommitAsync(new MetadataTransaction().Put("/a", Bytes("1")).Put("/b", Bytes("1")).Put("/c", Bytes("1")));
            await store.DeleteAsync("/a");
            await store.PutAsync("/b", Bytes("2"));
            MetadataLease lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(60));
            await store.CommitAsync(new MetadataTransaction().Put("/c", Bytes("leased"), lease.Id));
        }

        await using IMetadataStore reopened = await OpenAsync();
        Assert.Equal(["/b=2"], (await reopened.ListAsync("")).Entries.Select(e => $"{e.Key}={Text(e.Value)}"));
    }

    [Fact]
    public async Task A_transaction_that_the_disk_refused_leaves_nothing_behind()
    {
        var disk = new FullDisk();
        await using (IMetadataStore store = EmbeddedMetadataStore.Open(_directory, disk, TimeProvider.System))
        {
            await store.PutAsync("/a", Bytes("1"));
            disk.IsFull = true;
            await Assert.ThrowsAnyAsync<IOException>(async () =>
                await store.CommitAsync(new MetadataTransaction().Put("/a", Bytes("no")).Put("/b", Bytes("no"))));
            disk.IsFull = false;
            await store.PutAsync("/c", Bytes("2"));
        }

        await using IMetadataStore reopened = await OpenAsync();
        Assert.Equal(["/a=1", "/c=2"], (await reopened.ListAsync("")).Entries.Select(e => $"{e.Key}={Text(e.Value)}"));
    }

    private void Change(Action<FileStream> change)
    {
        using FileStream file = File.Open(FilePath, FileMode.Open);
        change(file);
    }
}
