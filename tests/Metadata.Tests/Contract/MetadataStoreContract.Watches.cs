namespace Danube.Fast.Metadata.Tests;

// Watches and compaction.
public abstract partial class MetadataStoreContract
{
    [Fact]
    public async Task A_watch_continues_a_listing_without_a_gap()
    {
        await using IMetadataStore store = await OpenAsync();
        await store.PutAsync("/t/a", Bytes("1"));
        MetadataListing listing = await store.ListAsync("/t/");
        await store.PutAsync("/t/b", Bytes("2"));
        await store.PutAsync("/u/b", Bytes("other"));
        await store.DeleteAsync("/t/a");
        List<MetadataRevision> seen = await TakeAsync(store.WatchAsync("/t/", listing.Revision + 1), 2);
        Assert.Equal([(MetadataChangeKind.Put, "/t/b"), (MetadataChangeKind.Delete, "/t/a")],
            seen.Select(r => (Assert.Single(r.Changes).Kind, r.Changes[0].Key)));
        Assert.Equal("2", Text(seen[0].Changes[0].Entry!.Value));
        Assert.Null(seen[1].Changes[0].Entry);
        Assert.True(seen[0].Revision < seen[1].Revision);
    }

    [Fact]
    public async Task A_watched_entry_is_the_one_that_a_read_shows()
    {
        await using IMetadataStore store = await OpenAsync();
        long start = (await store.ListAsync("")).Revision;
        MetadataLease lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(60));
        await store.PutAsync("/a", Bytes("1"));
        await store.CommitAsync(new MetadataTransaction().Put("/a", Bytes("2"), lease.Id));
        MetadataEntry watched = (await TakeAsync(store.WatchAsync("/a", start + 1), 2))[1].Changes[0].Entry!;
        MetadataEntry read = (await store.GetAsync("/a"))!;
        Assert.Equal((read.Revision, read.CreatedRevision, read.Version, read.LeaseId, "2"),
            (watched.Revision, watched.CreatedRevision, watched.Version, watched.LeaseId, Text(watched.Value)));
        Assert.True(await store.RevokeLeaseAsync(lease.Id));
    }

    [Fact]
    public async Task A_watch_wakes_for_changes_that_come_later()
    {
        await using IMetadataStore store = await OpenAsync();
        long next = (await store.ListAsync("")).Revision + 1;
        Task<List<MetadataRevision>> watching = TakeAsync(store.WatchAsync("/t/", next), 20);
        for (int i = 0; i < 20; i++)
        {
            await store.PutAsync("/t/" + i, Bytes("x"));
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(i => "/t/" + i), (await watching).Select(r => r.Changes.Single().Key));
    }

    [Fact]
    public async Task A_watch_resumes_after_the_revision_it_saw_last()
    {
        await using IMetadataStore store = await OpenAsync();
        long start = (await store.ListAsync("")).Revision;
        await store.PutAsync("/a", Bytes("1"));
        await store.PutAsync("/b", Bytes("2"));
        MetadataRevision first = (await TakeAsync(store.WatchAsync("", start + 1), 1))[0];
        MetadataRevision second = (await TakeAsync(store.WatchAsync("", first.Revision + 1), 1))[0];
        Assert.Equal(("/a", "/b"), (first.Changes[0].Key, second.Changes[0].Key));
    }

    [Fact]
    public async Task All_changes_of_a_transaction_are_watched_together()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataUpdate before = await store.PutAsync("/t/old", Bytes("1"));
        var transaction = new MetadataTransaction().Delete("/t/old").Put("/other", Bytes("x"));
        for (int i = 0; i < 100; i++)
        {
            transaction.Put($"/t/{i}", Bytes("new"));
        }

        TransactionResult made = await store.CommitAsync(transaction);
        MetadataRevision seen = (await TakeAsync(store.WatchAsync("/t/", before.Revision + 1), 1))[0];
        Assert.Equal(made.Revision, seen.Revision);
        Assert.Equal(101, seen.Changes.Count);
        Assert.Equal("/t/old", seen.Changes.Single(c => c.Kind == MetadataChangeKind.Delete).Key);
        Assert.All(seen.Changes.Where(c => c.Entry is not null), c => Assert.Equal(made.Revision, c.Entry!.Revision));
    }

    [Fact]
    public async Task A_watch_from_forgotten_revisions_is_told_which_one_is_kept()
    {
        await using IMetadataStore store = await OpenAsync();
        long[] revisions = new long[6];
        for (int i = 0; i < revisions.Length; i++)
        {
            revisions[i] = (await store.PutAsync("/a", Bytes(i.ToString()))).Revision;
        }

        await store.CompactAsync(revisions[4]);
        await store.CompactAsync(revisions[4]);
        await store.CompactAsync(revisions[5] + 1000);
        MetadataCompactedException e = await Assert.ThrowsAsync<MetadataCompactedException>(
            () => TakeAsync(store.WatchAsync("/a", revisions[1]), 1));
        Assert.Equal((revisions[1], revisions[4]), (e.RequestedRevision, e.FirstRevision));
        List<MetadataRevision> kept = await TakeAsync(store.WatchAsync("/a", e.FirstRevision), 2);
        Assert.Equal(["4", "5"], kept.Select(r => Text(r.Changes[0].Entry!.Value)));
        Assert.Equal("5", Text((await store.GetAsync("/a"))!.Value));
    }

    [Fact]
    public async Task A_cancelled_watch_ends()
    {
        await using IMetadataStore store = await OpenAsync();
        using var cancel = new CancellationTokenSource();
        Task<List<MetadataRevision>> watching = TakeAsync(store.WatchAsync("/none/", 1_000_000, cancel.Token), 1);
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching.WaitAsync(HangGuard));
    }

    [Fact]
    public async Task Disposing_the_store_ends_its_watches()
    {
        IMetadataStore store = await OpenAsync();
        long next = (await store.ListAsync("")).Revision + 1;
        Task<List<MetadataRevision>> watching = TakeAsync(store.WatchAsync("", next), 1);
        await store.DisposeAsync();
        Assert.Empty(await watching);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.GetAsync("/a"));
    }
}
