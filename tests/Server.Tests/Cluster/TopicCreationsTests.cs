using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Topics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>Records of topics that are created at the same time.</summary>
public sealed class TopicCreationsTests
{
    [Fact]
    public async Task Those_that_come_together_share_transactions_and_one_that_is_there_holds_up_nobody()
    {
        using var folder = new TempFolder();
        await using EmbeddedMetadataStore inner = EmbeddedMetadataStore.Open(folder.Path);
        await inner.PutAsync(ClusterKeys.Topic("/default/there"), TopicRecords.Encode(Named("/default/there")));
        await inner.PutAsync(ClusterKeys.Remakes + "default/remade", TopicRecords.Encode(Named("/default/remade")));
        var gate = new TaskCompletionSource();
        var store = new CountingStore(inner) { Hold = gate.Task };
        var creations = new TopicCreations(store, new NamespaceRoom(store, new ClusterView(NullLogger.Instance)));
        Task<CreationResult>[] all = [.. Enumerable.Range(0, 100).Select(i => creations.AddAsync(Named($"/default/t{i}")))];
        Task<CreationResult> twice = creations.AddAsync(Named("/default/t99"));
        Task<CreationResult> there = creations.AddAsync(Named("/default/there"));
        Task<CreationResult> remade = creations.AddAsync(Named("/default/remade"));
        gate.SetResult();
        CreationResult[] made = await Task.WhenAll(all).WaitAsync(TimeSpan.FromSeconds(90));
        Assert.All(made, m => Assert.Equal(MetadataOutcome.Done, m.Outcome));
        Assert.Equal((MetadataOutcome.Refused, ClusterKeys.Topic("/default/t99")), ((await twice).Outcome, (await twice).There!.Key));
        Assert.Equal((MetadataOutcome.Refused, ClusterKeys.Topic("/default/there")), ((await there).Outcome, (await there).There!.Key));
        Assert.Equal((MetadataOutcome.Refused, null), ((await remade).Outcome, (await remade).There));

        // The first by itself, sixty, the rest up to the second of a name, those that are left, and once more without what is in the way.
        Assert.InRange(store.Commits, 4, 6);
        for (int i = 0; i < made.Length; i++)
        {
            TopicDefinition read = TopicRecords.Decode((await inner.GetAsync(ClusterKeys.Topic($"/default/t{i}")))!);
            Assert.Equal(TopicIds.Of(made[i].Revision, made[i].Slot), read.TopicId);
        }

        Assert.Equal(100, made.Select(m => TopicIds.Of(m.Revision, m.Slot)).Distinct().Count());
    }

    [Fact]
    public async Task A_store_that_is_away_fails_those_that_were_sent_and_the_next_ones_are_tried_again()
    {
        using var folder = new TempFolder();
        await using EmbeddedMetadataStore inner = EmbeddedMetadataStore.Open(folder.Path);
        var gate = new TaskCompletionSource();
        var store = new CountingStore(inner) { Hold = gate.Task, IsCut = true };
        var creations = new TopicCreations(store, new NamespaceRoom(store, new ClusterView(NullLogger.Instance)));
        Task<CreationResult> first = creations.AddAsync(Named("/default/a"));
        gate.SetException(new MetadataUnavailableException("away"));
        await Assert.ThrowsAsync<MetadataUnavailableException>(() => first);
        store.Hold = Task.CompletedTask;
        Assert.Equal(MetadataOutcome.Unknown, (await creations.AddAsync(Named("/default/b"))).Outcome);
        store.IsCut = false;
        Assert.Equal(MetadataOutcome.Done, (await creations.AddAsync(Named("/default/b"))).Outcome);
    }

    private static TopicDefinition Named(string name) => new() { Topic = name, Durability = "memory" };
}
