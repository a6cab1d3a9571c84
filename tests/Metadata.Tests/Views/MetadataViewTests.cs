using System.Text;
using Danube.Fast.Metadata.Tests.Etcd;

namespace Danube.Fast.Metadata.Tests;

public sealed class MetadataViewTests(EtcdFixture fixture) : IClassFixture<EtcdFixture>, IDisposable
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(60);
    private static readonly MetadataViewOptions Quiet = new() { ReconcileInterval = TimeSpan.FromHours(1), WatchIdleLimit = TimeSpan.FromHours(2) };

    private readonly string _directory = Directory.CreateTempSubdirectory("danube-view-").FullName;
    private readonly ViewRecorder _seen = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_view_shows_what_is_there_and_then_every_change_in_order()
    {
        await using EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(_directory);
        await store.PutAsync("/v/a", Bytes("1"));
        await store.PutAsync("/other", Bytes("1"));
        await using MetadataView view = await MetadataView.OpenAsync(store, "/v/", Quiet, _seen.Apply);
        Assert.Equal("/v/a=1", _seen.Text());
        await store.PutAsync("/v/b", Bytes("2"));
        await store.DeleteAsync("/v/a");
        long last = (await store.PutAsync("/v/b", Bytes("3"))).Revision;
        MetadataSnapshot snapshot = await view.WaitForRevisionAsync(last).WaitAsync(HangGuard);
        Assert.Equal(["/v/b"], snapshot.Entries.Keys);
        await WaitForAsync(() => _seen.Text() == "/v/b=3");
        Assert.Null(_seen.Fault);
    }

    [Fact]
    public async Task Waiting_for_a_revision_of_other_keys_ends_with_a_comparison()
    {
        await using EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(_directory);
        await using MetadataView view = await MetadataView.OpenAsync(
            store, "/v/", Quiet with { CatchUpDelay = TimeSpan.FromMilliseconds(20) }, _seen.Apply);
        long other = (await store.PutAsync("/other", Bytes("1"))).Revision;
        Assert.True((await view.WaitForRevisionAsync(other).WaitAsync(HangGuard)).Revision >= other);
        Assert.Equal((2L, 0L), (view.Reconciliations, view.Repairs));
    }

    [Fact]
    public async Task A_view_that_missed_changes_finds_them_in_its_next_comparison()
    {
        await using EmbeddedMetadataStore inner = EmbeddedMetadataStore.Open(_directory);
        await using var store = new DeafStore(inner);
        await inner.PutAsync("/v/stays", Bytes("1"));
        await inner.PutAsync("/v/goes", Bytes("1"));
        var time = new ManualTime();
        await using MetadataView view = await MetadataView.OpenAsync(store, "/v/", new MetadataViewOptions { Time = time }, _seen.Apply);
        store.IsDeaf = true;
        await inner.DeleteAsync("/v/goes");
        await inner.PutAsync("/v/comes", Bytes("1"));
        await WaitForAsync(() => store.Swallowed == 2);
        Assert.Equal("/v/goes=1 /v/stays=1", _seen.Text());
        store.IsDeaf = false;
        await WaitForAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return _seen.Text() == "/v/comes=1 /v/stays=1";
        });
        await WaitForAsync(() => view.Repairs == 1 && store.Watches == 2);
        await inner.PutAsync("/v/later", Bytes("1"));
        await WaitForAsync(() => _seen.Text() == "/v/comes=1 /v/later=1 /v/stays=1");
        Assert.Null(_seen.Fault);
    }

    [Fact]
    public async Task A_silent_watch_is_replaced()
    {
        await using EmbeddedMetadataStore inner = EmbeddedMetadataStore.Open(_directory);
        await using var store = new DeafStore(inner);
        var time = new ManualTime();
        await using MetadataView view = await MetadataView.OpenAsync(store, "/v/", new MetadataViewOptions { Time = time }, _seen.Apply);
        await WaitForAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return store.Watches >= 3;
        });
        Assert.Equal(0, view.Repairs);
        await inner.PutAsync("/v/a", Bytes("1"));
        await WaitForAsync(() => _seen.Text() == "/v/a=1");
    }

    [Fact]
    public async Task A_view_survives_a_store_that_went_back_to_an_older_state()
    {
        string older = Path.Combine(_directory, "older");
        string newer = Path.Combine(_directory, "newer");
        await using EmbeddedMetadataStore olderStore = EmbeddedMetadataStore.Open(older);
        await using EmbeddedMetadataStore newerStore = EmbeddedMetadataStore.Open(newer);
        await olderStore.PutAsync("/v/a", Bytes("old"));
        for (int i = 0; i < 5; i++)
        {
            await newerStore.PutAsync("/v/a", Bytes("new" + i));
        }

        await newerStore.PutAsync("/v/b", Bytes("new"));
        await using var store = new DeafStore(newerStore);
        var time = new ManualTime();
        string seen = "";
        await using MetadataView view = await MetadataView.OpenAsync(store, "/v/", new MetadataViewOptions { Time = time }, _ => { });
        store.Inner = olderStore;
        await WaitForAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            seen = string.Join(' ', view.Snapshot.Entries.Values.Select(e => $"{e.Key}={Encoding.UTF8.GetString(e.Value.Span)}"));
            return seen == "/v/a=old";
        });
        await WaitForAsync(() => store.Watches >= 2);
        await olderStore.PutAsync("/v/c", Bytes("1"));
        await WaitForAsync(() => view.Snapshot.Find("/v/c") is not null);
    }

    [Fact]
    public async Task A_revision_that_the_store_has_lost_is_waited_for_no_longer_than_it_takes_to_look_and_the_next_ones_are_told()
    {
        await using EmbeddedMetadataStore olderStore = EmbeddedMetadataStore.Open(Path.Combine(_directory, "older"));
        await using EmbeddedMetadataStore newerStore = EmbeddedMetadataStore.Open(Path.Combine(_directory, "newer"));
        await olderStore.PutAsync("/v/a", Bytes("1"));
        for (int i = 0; i < 5; i++)
        {
            await newerStore.PutAsync("/v/a", Bytes("1"));
        }

        await using var store = new DeafStore(newerStore);
        await using MetadataView view = await MetadataView.OpenAsync(store, "/v/", Quiet with { CatchUpDelay = TimeSpan.FromMilliseconds(20) }, _ => { });
        store.Inner = olderStore;
        long later = view.Snapshot.Revision + 1;
        Assert.Equal(1, (await view.WaitForRevisionAsync(later).WaitAsync(HangGuard)).Revision);

        // The watch was one behind the lost revisions: without a new one the change would be told by the next comparison only, in an hour.
        await olderStore.PutAsync("/v/b", Bytes("1"));
        await WaitForAsync(() => view.Snapshot.Find("/v/b") is not null);
        Assert.Equal(["/v/a", "/v/b"], (await view.CompareAsync().WaitAsync(HangGuard)).Entries.Keys.Order());
    }

    [Fact]
    public async Task A_callback_that_throws_ends_the_view_visibly()
    {
        await using EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(_directory);
        await using MetadataView view = await MetadataView.OpenAsync(store, "/v/", Quiet, _ => throw new InvalidOperationException("no"));
        await store.PutAsync("/v/a", Bytes("1"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => view.Completion.WaitAsync(HangGuard));
    }

    [Fact]
    public async Task A_view_that_was_cut_off_while_etcd_compacted_finds_what_was_deleted()
    {
        EtcdOptions options = fixture.Options with { Prefix = EtcdFixture.NewPrefix() };
        await using var proxy = new AnswerProxy(fixture.Etcd.ClientPort);
        await using var store = new EtcdMetadataStore(options with { Endpoints = [proxy.Endpoint] });
        await using var direct = new EtcdMetadataStore(options);
        await direct.PutAsync("/v/a", Bytes("1"));
        await direct.PutAsync("/v/b", Bytes("1"));
        await using MetadataView view = await MetadataView.OpenAsync(store, "/v/", Quiet, _seen.Apply);
        await view.WaitForRevisionAsync((await direct.PutAsync("/v/c", Bytes("1"))).Revision).WaitAsync(HangGuard);
        proxy.Close();
        await direct.DeleteAsync("/v/a");
        await direct.PutAsync("/v/b", Bytes("2"));
        await direct.CompactAsync((await direct.PutAsync("/v/d", Bytes("1"))).Revision);
        proxy.Reopen();
        await WaitForAsync(() => _seen.Text() == "/v/b=2 /v/c=1 /v/d=1");
        long last = (await direct.PutAsync("/v/e", Bytes("1"))).Revision;
        await view.WaitForRevisionAsync(last).WaitAsync(HangGuard);
        Assert.Equal(5, view.Snapshot.Entries.Count + 1);
        Assert.Null(_seen.Fault);
    }

    private static async Task WaitForAsync(Func<bool> condition)
    {
        using var guard = new CancellationTokenSource(HangGuard);
        while (!condition())
        {
            await Task.Delay(10, guard.Token);
        }
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
