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
        long complete;
        await using (IMetadataStore store = await OpenAsync())
        {
            await store.PutAsync("/a", Bytes("answered"));
            complete = LengthOfRecords();
            await store.PutAsync("/b", Bytes("torn"));
        }

        CutRecords(complete + 3);
        await using IMetadataStore reopened = await OpenAsync();
        Assert.NotNull(await reopened.GetAsync("/a"));
        Assert.Null(await reopened.GetAsync("/b"));
        Assert.True((await reopened.PutAsync("/c", Bytes("goes on"))).Succeeded);
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
    public async Task Disposing_the_store_ends_its_watches()
    {
        IMetadataStore store = await OpenAsync();
        Task<List<MetadataChange>> watching = TakeAsync(store.WatchAsync("", 0), 1);
        await store.DisposeAsync();
        Assert.Empty(await watching);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.GetAsync("/a"));
    }

    private long LengthOfRecords() => new FileInfo(FilePath).Length;

    private void CutRecords(long length)
    {
        using FileStream file = File.OpenWrite(FilePath);
        file.SetLength(length);
    }
}
