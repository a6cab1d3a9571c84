namespace Danube.Fast.Metadata.Tests;

// Leases.
public abstract partial class MetadataStoreContract
{
    [Fact]
    public async Task A_lease_that_is_not_renewed_takes_its_keys_with_it_in_one_revision()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataLease lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(4));
        Assert.NotEqual(0, lease.Id);
        TransactionResult put = await store.CommitAsync(new MetadataTransaction()
            .Put("/l/a", Bytes("1"), lease.Id).Put("/l/b", Bytes("2"), lease.Id).Put("/l/c", Bytes("3")));
        MetadataRevision ended = (await TakeAsync(store.WatchAsync("/l/", put.Revision + 1), 1))[0];
        Assert.Equal(["/l/a", "/l/b"], ended.Changes.Select(c => c.Key).Order());
        Assert.All(ended.Changes, c => Assert.Equal(MetadataChangeKind.Delete, c.Kind));
        Assert.Equal(["/l/c"], (await store.ListAsync("/l/")).Entries.Select(e => e.Key));
        Assert.False(await store.RenewLeaseAsync(lease.Id));
        Assert.False(await store.RevokeLeaseAsync(lease.Id));
    }

    [Fact]
    public async Task A_renewed_lease_lives_on()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataLease kept = await store.GrantLeaseAsync(TimeSpan.FromSeconds(8));
        MetadataLease witness = await store.GrantLeaseAsync(TimeSpan.FromSeconds(8));
        TransactionResult put = await store.CommitAsync(new MetadataTransaction()
            .Put("/kept", Bytes("1"), kept.Id).Put("/witness", Bytes("1"), witness.Id));
        Task<List<MetadataRevision>> end = TakeAsync(store.WatchAsync("/witness", put.Revision + 1), 1);
        while (!end.IsCompleted)
        {
            Assert.True(await store.RenewLeaseAsync(kept.Id));
            await Task.WhenAny(end, Task.Delay(500));
        }

        Assert.Equal(MetadataChangeKind.Delete, (await end)[0].Changes[0].Kind);
        Assert.Equal(kept.Id, (await store.GetAsync("/kept"))!.LeaseId);
        Assert.True(await store.RevokeLeaseAsync(kept.Id));
    }

    [Fact]
    public async Task Revoking_a_lease_deletes_its_keys_at_once()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataLease lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(60));
        TransactionResult put = await store.CommitAsync(new MetadataTransaction().Put("/a", Bytes("1"), lease.Id).Put("/b", Bytes("1"), lease.Id));
        Assert.True(await store.RevokeLeaseAsync(lease.Id));
        Assert.Empty((await store.ListAsync("")).Entries);
        Assert.Equal(2, (await TakeAsync(store.WatchAsync("", put.Revision + 1), 1))[0].Changes.Count);
        Assert.False(await store.RevokeLeaseAsync(lease.Id));
    }

    [Fact]
    public async Task A_put_moves_a_key_to_its_own_lease_or_to_none()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataLease first = await store.GrantLeaseAsync(TimeSpan.FromSeconds(60));
        MetadataLease second = await store.GrantLeaseAsync(TimeSpan.FromSeconds(60));
        await store.CommitAsync(new MetadataTransaction()
            .Put("/free", Bytes("1"), first.Id).Put("/moved", Bytes("1"), first.Id).Put("/tied", Bytes("1")));
        await store.CommitAsync(new MetadataTransaction().Put("/free", Bytes("2")).Put("/moved", Bytes("2"), second.Id).Put("/tied", Bytes("2"), second.Id));
        await store.RevokeLeaseAsync(first.Id);
        Assert.Equal([("/free", 0L), ("/moved", second.Id), ("/tied", second.Id)],
            (await store.ListAsync("")).Entries.Select(e => (e.Key, e.LeaseId)));
        await store.RevokeLeaseAsync(second.Id);
        Assert.Equal(["/free"], (await store.ListAsync("")).Entries.Select(e => e.Key));
    }

    [Fact]
    public async Task A_put_with_a_lease_that_is_gone_is_refused()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataLease lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(60));
        await store.RevokeLeaseAsync(lease.Id);
        TransactionResult result = await store.CommitAsync(new MetadataTransaction().Put("/a", Bytes("1")).Put("/b", Bytes("1"), lease.Id));
        Assert.Equal((MetadataOutcome.Refused, true), (result.Outcome, result.LeaseIsGone));
        Assert.Empty((await store.ListAsync("")).Entries);
        Assert.True((await store.PutAsync("/c", Bytes("the store lives"))).Succeeded);
    }

    [Fact]
    public async Task A_key_made_again_is_told_from_the_one_before()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataLease lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(60));
        TransactionResult first = await store.CommitAsync(new MetadataTransaction().IfAbsent("/m").Put("/m", Bytes("1"), lease.Id));
        await store.RevokeLeaseAsync(lease.Id);
        MetadataLease next = await store.GrantLeaseAsync(TimeSpan.FromSeconds(60));
        TransactionResult second = await store.CommitAsync(new MetadataTransaction().IfAbsent("/m").Put("/m", Bytes("2"), next.Id));
        TransactionResult stale = await store.CommitAsync(new MetadataTransaction().IfCreated("/m", first.Revision).Put("/x", Bytes("stale")));
        Assert.True(first.IsDone && second.IsDone);
        Assert.Equal(second.Revision, stale.Found("/m")!.CreatedRevision);
        Assert.True(await store.RevokeLeaseAsync(next.Id));
    }
}
