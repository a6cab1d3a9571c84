namespace Danube.Fast.Metadata.Tests.Etcd;

/// <summary>The contract against a real etcd, and what only etcd has.</summary>
public sealed class EtcdMetadataStoreTests(EtcdFixture fixture) : MetadataStoreContract, IClassFixture<EtcdFixture>
{
    private readonly EtcdOptions _options = fixture.Options with { Prefix = EtcdFixture.NewPrefix() };

    [Fact]
    public async Task Clusters_with_different_prefixes_do_not_see_each_other()
    {
        await using var one = new EtcdMetadataStore(_options with { Prefix = _options.Prefix + "x" });
        await using var two = new EtcdMetadataStore(_options with { Prefix = _options.Prefix + "xy" });
        long start = (await one.ListAsync("")).Revision;
        await two.PutAsync("/a", Bytes("two"));
        await one.PutAsync("/a", Bytes("one"));
        await two.PutAsync("/b", Bytes("two"));
        Assert.Equal("one", Text(Assert.Single((await one.ListAsync("")).Entries).Value));
        Assert.Equal("one", Text((await TakeAsync(one.WatchAsync("", start + 1), 1))[0].Changes.Single().Entry!.Value));
        Assert.Equal(2, (await two.ListAsync("/")).Entries.Count);
    }

    [Fact]
    public async Task A_member_tells_its_version_and_size()
    {
        await using var store = new EtcdMetadataStore(_options);
        EtcdMemberStatus status = Assert.Single(await store.GetStatusAsync());
        Assert.True(status.IsLeader && status.DbBytes > 0 && Version.Parse(status.Version) >= new Version(3, 4));
    }

    [Fact]
    public async Task A_call_that_the_caller_gives_up_ends()
    {
        await using var store = new EtcdMetadataStore(_options);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.GetAsync("/a", cancelled.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.PutAsync("/a", Bytes("1"), null, cancelled.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.GrantLeaseAsync(TimeSpan.FromSeconds(5), cancelled.Token));
    }

    [Theory]
    [InlineData("ftp://127.0.0.1:1", "/danube")]
    [InlineData("http://127.0.0.1:1", "danube")]
    [InlineData("http://127.0.0.1:1", "/danube/")]
    [InlineData("http://127.0.0.1:1", "/")]
    public void Options_that_cannot_work_are_refused(string endpoint, string prefix) =>
        Assert.Throws<ArgumentException>(() => new EtcdMetadataStore(new EtcdOptions { Endpoints = [new Uri(endpoint)], Prefix = prefix }));

    protected override ValueTask<IMetadataStore> OpenAsync() => ValueTask.FromResult<IMetadataStore>(new EtcdMetadataStore(_options));
}
