using Danube.Fast.Metadata;
using NSubstitute;

namespace Danube.Fast.LoadManager.Tests;

/// <summary>Reports in a real store, with the lease of the session.</summary>
public sealed class LoadReportPosterTests : IDisposable
{
    private const string Key = "/cluster/load/1";

    private readonly string _folder = Directory.CreateTempSubdirectory("danube-lm-").FullName;
    private readonly ManualClock _clock = new();
    private readonly ScriptedMonitor _monitor = new();

    [Fact]
    public async Task A_report_is_posted_when_it_is_due_and_goes_with_its_lease()
    {
        await using EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(_folder);
        MetadataLease lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(60));
        using var sampler = new ResourceSampler(_monitor, TimeSpan.FromSeconds(2), _clock);
        ReportSchedule schedule = Schedule(sampler);

        Assert.Equal(PostOutcome.Posted, await PostIfDueAsync(store, schedule, lease.Id));
        Assert.Null(await PostIfDueAsync(store, schedule, lease.Id));
        _clock.Advance(34);
        Assert.Equal(PostOutcome.Posted, await PostIfDueAsync(store, schedule, lease.Id));
        MetadataEntry entry = (await store.GetAsync(Key))!;
        Assert.True(LoadReportReader.TryRead(entry.Value, out LoadReport? report, out _));
        Assert.Equal((1, 7, 34_000), (report.BrokerId, report.Session, report.WindowMs));

        await store.RevokeLeaseAsync(lease.Id);
        Assert.Null(await store.GetAsync(Key));
        _clock.Advance(34);
        Assert.Equal(PostOutcome.LeaseIsGone, await PostIfDueAsync(store, schedule, lease.Id));
        Assert.Null(await store.GetAsync(Key));
    }

    [Fact]
    public async Task A_store_that_does_not_take_it_is_tried_again_in_its_time()
    {
        IMetadataStore store = Substitute.For<IMetadataStore>();
        store.CommitAsync(Arg.Any<MetadataTransaction>(), Arg.Any<CancellationToken>()).Returns<ValueTask<TransactionResult>>(_ => throw new IOException("no room"));
        using var sampler = new ResourceSampler(_monitor, TimeSpan.FromSeconds(2), _clock);
        ReportSchedule schedule = Schedule(sampler);
        Assert.Equal(PostOutcome.Failed, await PostIfDueAsync(store, schedule, 0));
        Assert.Null(await PostIfDueAsync(store, schedule, 0));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<PostOutcome?> PostIfDueAsync(IMetadataStore store, ReportSchedule schedule, long lease) =>
        schedule.Next(1, 7, 0) is { } report ? await new LoadReportPoster(store).PostAsync(Key, lease, report) : null;

    private ReportSchedule Schedule(ResourceSampler sampler)
    {
        var options = new LoadManagerOptions();
        var builder = new LoadReportBuilder(sampler, () => [new TopicSample { Name = "/a/b" }], () => 0, options, _clock);
        return new ReportSchedule(builder, new PostingPolicy(options, _clock, new Random(1)), options);
    }
}
