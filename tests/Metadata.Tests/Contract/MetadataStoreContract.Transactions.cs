namespace Danube.Fast.Metadata.Tests;

// Transactions.
public abstract partial class MetadataStoreContract
{
    [Fact]
    public async Task A_transaction_makes_one_revision_of_all_its_keys()
    {
        await using IMetadataStore store = await OpenAsync();
        await store.PutAsync("/gone", Bytes("x"));
        MetadataUpdate kept = await store.PutAsync("/kept", Bytes("1"));
        TransactionResult result = await store.CommitAsync(new MetadataTransaction()
            .IfRevision("/kept", kept.Revision).IfAbsent("/new")
            .Put("/kept", Bytes("2")).Put("/new", Bytes("3")).Delete("/gone").Delete("/never"));
        Assert.True(result.IsDone);
        MetadataListing listing = await store.ListAsync("");
        Assert.Equal(["/kept=2", "/new=3"], listing.Entries.Select(e => $"{e.Key}={Text(e.Value)}"));
        Assert.All(listing.Entries, e => Assert.Equal(result.Revision, e.Revision));
        Assert.Equal([(kept.Revision, 2L), (result.Revision, 1L)], listing.Entries.Select(e => (e.CreatedRevision, e.Version)));
    }

    [Fact]
    public async Task A_refused_transaction_changes_nothing_and_shows_what_was_in_the_way()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataUpdate a = await store.PutAsync("/a", Bytes("a"));
        TransactionResult refused = await store.CommitAsync(new MetadataTransaction()
            .IfRevision("/a", a.Revision).IfRevision("/b", a.Revision).IfAbsent("/a")
            .Put("/a", Bytes("no")).Put("/c", Bytes("no")));
        Assert.Equal(MetadataOutcome.Refused, refused.Outcome);
        Assert.Equal((a.Revision, "a"), (refused.Found("/a")!.Revision, Text(refused.Found("/a")!.Value)));
        Assert.Null(refused.Found("/b"));
        Assert.Single(refused.Entries);
        Assert.False(refused.LeaseIsGone);
        Assert.Equal(["/a=a"], (await store.ListAsync("")).Entries.Select(e => $"{e.Key}={Text(e.Value)}"));
    }

    [Theory]
    [InlineData(MetadataField.CreatedRevision)]
    [InlineData(MetadataField.Revision)]
    [InlineData(MetadataField.Version)]
    public async Task Each_number_of_an_entry_is_compared(MetadataField field)
    {
        await using IMetadataStore store = await OpenAsync();
        await store.PutAsync("/a", Bytes("1"));
        await store.PutAsync("/a", Bytes("2"));
        await store.PutAsync("/a", Bytes("3"));
        MetadataEntry entry = (await store.GetAsync("/a"))!;
        Assert.Equal(3, entry.Version);
        long right = field switch
        {
            MetadataField.CreatedRevision => entry.CreatedRevision,
            MetadataField.Revision => entry.Revision,
            _ => entry.Version,
        };
        Assert.Equal(MetadataOutcome.Refused, (await CommitAsync("/a", right - 1)).Outcome);
        Assert.Equal(MetadataOutcome.Refused, (await CommitAsync("/a", right + 1)).Outcome);
        Assert.Equal(MetadataOutcome.Refused, (await CommitAsync("/a", 0)).Outcome);
        Assert.True((await CommitAsync("/a", right)).IsDone);
        Assert.Equal(MetadataOutcome.Refused, (await CommitAsync("/none", right)).Outcome);
        Assert.True((await CommitAsync("/none", 0)).IsDone);

        async Task<TransactionResult> CommitAsync(string key, long expected)
        {
            var transaction = new MetadataTransaction();
            _ = field switch
            {
                MetadataField.CreatedRevision => transaction.IfCreated(key, expected),
                MetadataField.Revision => transaction.IfRevision(key, expected),
                _ => transaction.IfVersion(key, expected),
            };
            return await store.CommitAsync(transaction.Put("/done/" + field, Bytes("x")));
        }
    }

    [Fact]
    public async Task A_transaction_that_only_compares_makes_no_revision()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataUpdate put = await store.PutAsync("/a", Bytes("1"));
        TransactionResult compared = await store.CommitAsync(new MetadataTransaction().IfRevision("/a", put.Revision));
        TransactionResult deleted = await store.CommitAsync(new MetadataTransaction().Delete("/none"));
        Assert.Equal((true, put.Revision, true, put.Revision), (compared.IsDone, compared.Revision, deleted.IsDone, deleted.Revision));
    }

    [Fact]
    public async Task As_many_and_as_large_operations_as_are_allowed_are_made()
    {
        await using IMetadataStore store = await OpenAsync();
        var transaction = new MetadataTransaction();
        const int ValueBytes = (MetadataTransaction.MaxBytes / MetadataTransaction.MaxOperations) - (2 * MetadataTransaction.OverheadBytes) - 20;
        for (int i = 0; i < MetadataTransaction.MaxOperations; i++)
        {
            transaction.IfAbsent($"/many/{i:d4}").Put($"/many/{i:d4}", new byte[ValueBytes]);
        }

        Assert.Throws<ArgumentException>(() => transaction.Put("/one-more", default));
        Assert.Throws<ArgumentException>(() => transaction.IfAbsent("/one-more"));
        Assert.InRange(transaction.SizeBytes, MetadataTransaction.MaxBytes - (32 * MetadataTransaction.MaxOperations), MetadataTransaction.MaxBytes);
        Assert.True((await store.CommitAsync(transaction)).IsDone);
        Assert.Equal(MetadataTransaction.MaxOperations, (await store.ListAsync("/many/")).Entries.Count);
        TransactionResult again = await store.CommitAsync(transaction);
        Assert.Equal(MetadataTransaction.MaxOperations, again.Entries.Count);
    }

    [Fact]
    public async Task What_no_store_could_make_cannot_be_built()
    {
        await using IMetadataStore store = await OpenAsync();
        Assert.Throws<ArgumentException>(() => new MetadataTransaction().Put("/a", Bytes("1")).Delete("/a"));
        Assert.Throws<ArgumentException>(() => new MetadataTransaction().Put("/a", new byte[MetadataKey.MaxValueBytes]).Put("/b", new byte[MetadataKey.MaxValueBytes]));
        Assert.Throws<ArgumentException>(() => new MetadataTransaction().Put("a", Bytes("1")));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MetadataTransaction().IfRevision("/a", -1));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.ListAsync("t/"));
    }

    [Fact]
    public async Task A_listing_of_many_entries_is_complete()
    {
        await using IMetadataStore store = await OpenAsync();
        const int Batches = 40;
        for (int b = 0; b < Batches; b++)
        {
            var batch = new MetadataTransaction();
            for (int i = 0; i < MetadataTransaction.MaxOperations; i++)
            {
                batch.Put($"/many/{b}/{i}", Bytes("x"));
            }

            Assert.True((await store.CommitAsync(batch)).IsDone);
        }

        MetadataListing listing = await store.ListAsync("/many/");
        Assert.Equal(Batches * MetadataTransaction.MaxOperations, listing.Entries.Count);
        Assert.Equal(listing.Entries.Select(e => e.Key).Order(StringComparer.Ordinal), listing.Entries.Select(e => e.Key));
    }
}
