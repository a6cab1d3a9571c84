using System.Text;

namespace Danube.Fast.Metadata.Tests.Etcd;

/// <summary>Lost answers, lost connections and restarts of a single etcd.</summary>
public sealed class EtcdFaultTests(EtcdFixture fixture) : IClassFixture<EtcdFixture>
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(60);

    // A busy disk may keep etcd from answering for seconds.
    private readonly EtcdOptions _options = fixture.Options with { Prefix = EtcdFixture.NewPrefix(), RetryTimeout = HangGuard, TransactionTimeout = HangGuard };

    [Fact]
    public async Task A_transaction_whose_answer_is_held_is_unknown_and_was_made_once()
    {
        await using var proxy = new AnswerProxy(fixture.Etcd.ClientPort);
        await using var store = new EtcdMetadataStore(_options with { Endpoints = [proxy.Endpoint], TransactionTimeout = TimeSpan.FromSeconds(3) });
        await using var direct = new EtcdMetadataStore(_options);
        await store.PutAsync("/warm", Bytes("1"));
        proxy.HoldAnswers();
        MetadataTransaction create = new MetadataTransaction().IfAbsent("/a").Put("/a", Bytes("mine"));
        TransactionResult result = await store.CommitAsync(create);
        Assert.Equal(MetadataOutcome.Unknown, result.Outcome);
        Assert.NotEqual("", result.Reason);
        await Assert.ThrowsAsync<MetadataUnknownException>(async () => await store.PutAsync("/b", Bytes("1")));
        proxy.PassAnswers();
        MetadataEntry there = (await store.GetAsync("/a"))!;
        Assert.Equal(("mine", 1L), (Encoding.UTF8.GetString(there.Value.Span), there.Version));
        Assert.Equal(1, (await direct.GetAsync("/b"))!.Version);
        Assert.Equal(there.Revision, (await store.CommitAsync(create)).Found("/a")!.Revision);
    }

    [Fact]
    public async Task A_transaction_whose_connection_is_cut_is_unknown()
    {
        await using var proxy = new AnswerProxy(fixture.Etcd.ClientPort);
        await using var store = new EtcdMetadataStore(_options with { Endpoints = [proxy.Endpoint] });
        await using var direct = new EtcdMetadataStore(_options);
        await store.PutAsync("/warm", Bytes("1"));
        proxy.HoldAnswers();
        Task<TransactionResult> running = store.CommitAsync(new MetadataTransaction().Put("/a", Bytes("1"))).AsTask();
        while (await direct.GetAsync("/a") is null)
        {
            await Task.Delay(20);
        }

        proxy.Cut();
        Assert.Equal(MetadataOutcome.Unknown, (await running.WaitAsync(HangGuard)).Outcome);
        proxy.PassAnswers();
        Assert.Equal(1, (await store.GetAsync("/a"))!.Version);
    }

    [Fact]
    public async Task A_member_that_cannot_be_reached_costs_no_transaction()
    {
        var dead = new Uri($"http://127.0.0.1:{EtcdProcess.FreePorts(1)[0]}");
        for (int i = 0; i < 8; i++)
        {
            await using var store = new EtcdMetadataStore(_options with { Endpoints = [dead, fixture.Etcd.Endpoint] });
            Assert.True((await store.CommitAsync(new MetadataTransaction().Put($"/a{i}", Bytes("1")))).IsDone);
        }
    }

    [Fact]
    public async Task Reads_that_nobody_answers_fail_with_a_sentence()
    {
        var dead = new Uri($"http://127.0.0.1:{EtcdProcess.FreePorts(1)[0]}");
        await using var store = new EtcdMetadataStore(_options with { Endpoints = [dead], RetryTimeout = TimeSpan.FromSeconds(1) });
        var e = await Assert.ThrowsAsync<MetadataUnavailableException>(async () => await store.GetAsync("/a"));
        Assert.Contains(dead.Authority, e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<MetadataUnavailableException>(async () => await store.GrantLeaseAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task A_watch_goes_on_behind_what_it_saw_when_its_connection_is_lost()
    {
        await using var proxy = new AnswerProxy(fixture.Etcd.ClientPort);
        await using var store = new EtcdMetadataStore(_options with { Endpoints = [proxy.Endpoint] });
        await using var direct = new EtcdMetadataStore(_options);
        long next = (await direct.ListAsync("")).Revision + 1;
        await using IAsyncEnumerator<MetadataRevision> watch = store.WatchAsync("/w/", next).GetAsyncEnumerator();
        for (int i = 0; i < 5; i++)
        {
            await direct.PutAsync($"/w/{i}", Bytes("1"));
            Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(HangGuard));
            Assert.Equal($"/w/{i}", watch.Current.Changes.Single().Key);
            proxy.Close();
            await direct.PutAsync($"/w/{i}-away", Bytes("1"));
            proxy.Reopen();
            Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(HangGuard));
            Assert.Equal($"/w/{i}-away", watch.Current.Changes.Single().Key);
        }
    }

    [Fact]
    public async Task A_watch_that_was_away_while_revisions_were_forgotten_says_so()
    {
        await using var proxy = new AnswerProxy(fixture.Etcd.ClientPort);
        await using var store = new EtcdMetadataStore(_options with { Endpoints = [proxy.Endpoint] });
        await using var direct = new EtcdMetadataStore(_options);
        long first = (await direct.PutAsync("/w/a", Bytes("1"))).Revision;
        await using IAsyncEnumerator<MetadataRevision> watch = store.WatchAsync("/w/", first).GetAsyncEnumerator();
        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(HangGuard));
        proxy.Close();
        long last = 0;
        for (int i = 0; i < 10; i++)
        {
            last = (await direct.PutAsync("/w/a", Bytes("1"))).Revision;
        }

        await direct.CompactAsync(last);
        proxy.Reopen();
        var e = await Assert.ThrowsAsync<MetadataCompactedException>(() => watch.MoveNextAsync().AsTask().WaitAsync(HangGuard));
        Assert.Equal((first + 1, last), (e.RequestedRevision, e.FirstRevision));
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
