using System.Text;

namespace Danube.Fast.Metadata.Tests;

/// <summary>
/// What every <see cref="IMetadataStore"/> must do. A test class per implementation derives from it and says how to open a store
/// with a clean slate and how to open the same one again.
/// </summary>
public abstract partial class MetadataStoreContract
{
    protected static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(60);

    /// <summary>Opens the store of this test; a second call sees what the first store's owner left behind.</summary>
    protected abstract ValueTask<IMetadataStore> OpenAsync();

    [Fact]
    public async Task A_key_that_was_never_written_is_absent()
    {
        await using IMetadataStore store = await OpenAsync();
        Assert.Null(await store.GetAsync("/topics/none"));
        Assert.Empty((await store.ListAsync("")).Entries);
    }

    [Fact]
    public async Task A_put_is_read_back_with_its_revision()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataUpdate first = await store.PutAsync("/a", Bytes("one"));
        MetadataUpdate second = await store.PutAsync("/a", Bytes("two"));
        MetadataEntry entry = (await store.GetAsync("/a"))!;
        Assert.True(first.Succeeded && second.Succeeded);
        Assert.True(second.Revision > first.Revision);
        Assert.Equal("two", Text(entry.Value));
        Assert.Equal(second.Revision, entry.Revision);
        Assert.Equal(first.Revision, entry.CreatedRevision);
    }

    [Fact]
    public async Task The_store_keeps_its_own_copy_of_a_value()
    {
        await using IMetadataStore store = await OpenAsync();
        byte[] value = Bytes("before").ToArray();
        await store.PutAsync("/a", value);
        value[0] = (byte)'X';
        Assert.Equal("before", Text((await store.GetAsync("/a"))!.Value));
    }

    [Fact]
    public async Task Zero_as_the_expected_revision_creates_only()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataUpdate created = await store.PutAsync("/a", Bytes("1"), expectedRevision: 0);
        MetadataUpdate refused = await store.PutAsync("/a", Bytes("2"), expectedRevision: 0);
        Assert.True(created.Succeeded);
        Assert.False(refused.Succeeded);
        Assert.Equal(created.Revision, refused.Current!.Revision);
        Assert.Equal("1", Text((await store.GetAsync("/a"))!.Value));
    }

    [Fact]
    public async Task Compare_and_set_takes_the_current_revision_only()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataUpdate first = await store.PutAsync("/a", Bytes("1"));
        MetadataUpdate second = await store.PutAsync("/a", Bytes("2"), first.Revision);
        MetadataUpdate stale = await store.PutAsync("/a", Bytes("3"), first.Revision);
        MetadataUpdate missing = await store.PutAsync("/b", Bytes("3"), first.Revision);
        Assert.True(second.Succeeded);
        Assert.False(stale.Succeeded);
        Assert.Equal("2", Text(stale.Current!.Value));
        Assert.False(missing.Succeeded);
        Assert.Null(missing.Current);
    }

    [Fact]
    public async Task Of_racing_compare_and_sets_one_wins_each_round()
    {
        await using IMetadataStore store = await OpenAsync();
        const int Writers = 4, RoundsEach = 10;
        await store.PutAsync("/count", Bytes("0"));
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
        {
            for (int done = 0; done < RoundsEach;)
            {
                MetadataEntry entry = (await store.GetAsync("/count"))!;
                string next = (int.Parse(Text(entry.Value)) + 1).ToString();
                done += (await store.PutAsync("/count", Bytes(next), entry.Revision)).Succeeded ? 1 : 0;
            }
        }))).WaitAsync(HangGuard);
        Assert.Equal((Writers * RoundsEach).ToString(), Text((await store.GetAsync("/count"))!.Value));
    }

    [Fact]
    public async Task A_deleted_key_is_gone_and_starts_afresh()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataUpdate first = await store.PutAsync("/a", Bytes("1"));
        MetadataUpdate deleted = await store.DeleteAsync("/a", first.Revision);
        Assert.True(deleted.Succeeded && deleted.Revision > first.Revision);
        Assert.Null(await store.GetAsync("/a"));
        MetadataUpdate again = await store.PutAsync("/a", Bytes("2"), expectedRevision: 0);
        Assert.True(again.Succeeded);
        Assert.Equal(again.Revision, (await store.GetAsync("/a"))!.CreatedRevision);
    }

    [Fact]
    public async Task A_delete_with_a_stale_revision_changes_nothing()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataUpdate first = await store.PutAsync("/a", Bytes("1"));
        MetadataUpdate second = await store.PutAsync("/a", Bytes("2"));
        MetadataUpdate refused = await store.DeleteAsync("/a", first.Revision);
        Assert.False(refused.Succeeded);
        Assert.Equal(second.Revision, refused.Current!.Revision);
        Assert.NotNull(await store.GetAsync("/a"));
    }

    [Fact]
    public async Task Deleting_nothing_succeeds_and_makes_no_revision()
    {
        await using IMetadataStore store = await OpenAsync();
        MetadataUpdate put = await store.PutAsync("/a", Bytes("1"));
        MetadataUpdate nothing = await store.DeleteAsync("/b");
        Assert.True(nothing.Succeeded);
        Assert.Equal(put.Revision, nothing.Revision);
    }

    [Fact]
    public async Task A_listing_has_the_prefix_in_order_and_nothing_else()
    {
        await using IMetadataStore store = await OpenAsync();
        foreach (string key in (string[])["/t/b", "/t/a", "/t", "/t/aa", "/u/a", "/s/z", "/t/ä"])
        {
            await store.PutAsync(key, Bytes(key));
        }

        MetadataListing listing = await store.ListAsync("/t/");
        Assert.Equal(["/t/a", "/t/aa", "/t/b", "/t/ä"], listing.Entries.Select(e => e.Key));
        Assert.All(listing.Entries, e => Assert.Equal(e.Key, Text(e.Value)));
        Assert.Equal(listing.Revision, listing.Entries[^1].Revision);
        Assert.Equal(7, (await store.ListAsync("")).Entries.Count);
    }

    [Fact]
    public async Task What_was_answered_is_there_after_a_reopen_and_revisions_go_on()
    {
        long last;
        await using (IMetadataStore store = await OpenAsync())
        {
            await store.PutAsync("/keep", Bytes("1"));
            await store.PutAsync("/gone", Bytes("1"));
            last = (await store.DeleteAsync("/gone")).Revision;
        }

        await using IMetadataStore reopened = await OpenAsync();
        Assert.Equal("1", Text((await reopened.GetAsync("/keep"))!.Value));
        Assert.Null(await reopened.GetAsync("/gone"));
        Assert.True((await reopened.PutAsync("/new", Bytes("2"))).Revision > last);
    }

    [Fact]
    public async Task Keys_and_values_outside_the_rules_are_refused()
    {
        await using IMetadataStore store = await OpenAsync();
        foreach (string key in (string[])["", "a", "/a\nb", "/\ud800", "/" + new string('k', MetadataKey.MaxKeyBytes)])
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.PutAsync(key, Bytes("x")));
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.DeleteAsync(key));
            await Assert.ThrowsAnyAsync<ArgumentException>(async () => await store.GetAsync(key));
        }

        await Assert.ThrowsAnyAsync<ArgumentException>(
            async () => await store.PutAsync("/big", new byte[MetadataKey.MaxValueBytes + 1]));
        Assert.True((await store.PutAsync("/" + new string('k', MetadataKey.MaxKeyBytes - 1), new byte[MetadataKey.MaxValueBytes])).Succeeded);
        Assert.True((await store.PutAsync("/empty", default)).Succeeded);
        Assert.Equal(0, (await store.GetAsync("/empty"))!.Value.Length);
    }

    protected static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected static string Text(ReadOnlyMemory<byte> value) => Encoding.UTF8.GetString(value.Span);

    /// <summary>The first revisions of a watch.</summary>
    protected static Task<List<MetadataRevision>> TakeAsync(IAsyncEnumerable<MetadataRevision> watch, int count)
    {
        return Take().WaitAsync(HangGuard);

        async Task<List<MetadataRevision>> Take()
        {
            var seen = new List<MetadataRevision>();
            await foreach (MetadataRevision revision in watch)
            {
                seen.Add(revision);
                if (seen.Count == count)
                {
                    break;
                }
            }

            return seen;
        }
    }
}
