using System.Text;
using Danube.Fast.Wal;

namespace Danube.Fast.Metadata.Tests;

public sealed class ClusterIdentityTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("danube-identity-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Folders_that_meet_the_same_store_belong_to_one_cluster_for_good()
    {
        await using EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(Folder("store"));
        string[] ids = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => BindAsync(store, Folder($"broker{i}"))));
        Assert.Single(ids.Distinct());
        Assert.Equal(ids[0], await BindAsync(store, Folder("broker0")));
    }

    [Fact]
    public async Task A_folder_of_another_cluster_is_refused_and_stays_what_it_is()
    {
        await using EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(Folder("store"));
        await using EmbeddedMetadataStore other = EmbeddedMetadataStore.Open(Folder("other"));
        string mine = await BindAsync(store, Folder("broker"));
        string theirs = await BindAsync(other, Folder("stranger"));
        var e = await Assert.ThrowsAsync<ForeignClusterException>(() => BindAsync(other, Folder("broker")));
        Assert.Equal((mine, theirs), (e.Remembered, e.Stored));
        Assert.Equal(mine, await BindAsync(store, Folder("broker")));
    }

    [Fact]
    public async Task A_folder_with_a_cluster_does_not_take_over_an_empty_store()
    {
        await using EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(Folder("store"));
        await using EmbeddedMetadataStore emptied = EmbeddedMetadataStore.Open(Folder("emptied"));
        await BindAsync(store, Folder("broker"));
        Assert.Null((await Assert.ThrowsAsync<ForeignClusterException>(() => BindAsync(emptied, Folder("broker")))).Stored);
        Assert.Null(await emptied.GetAsync(ClusterIdentity.Key));
    }

    [Fact]
    public async Task Compaction_keeps_ten_minutes()
    {
        await using EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(Folder("store"));
        var time = new ManualTime();
        var compactor = new MetadataCompactor(store, time);
        var written = new List<long>();
        for (int minutes = 0; minutes <= 20; minutes += 5)
        {
            written.Add((await store.PutAsync("/a", Encoding.UTF8.GetBytes($"{minutes}"))).Revision);
            await compactor.StepAsync(CancellationToken.None);
            time.Advance(MetadataCompactor.Interval);
        }

        // At 20 minutes the revision that was current at 10 minutes is the oldest one kept.
        await using IAsyncEnumerator<MetadataRevision> kept = store.WatchAsync("/a", written[2]).GetAsyncEnumerator();
        Assert.True(await kept.MoveNextAsync());
        await using IAsyncEnumerator<MetadataRevision> forgotten = store.WatchAsync("/a", written[1]).GetAsyncEnumerator();
        Assert.Equal(written[2], (await Assert.ThrowsAsync<MetadataCompactedException>(async () => await forgotten.MoveNextAsync())).FirstRevision);
    }

    private static Task<string> BindAsync(IMetadataStore store, string folder) => ClusterIdentity.BindAsync(store, folder, WalFileSystem.Native);

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(_directory, name)).FullName;
}
