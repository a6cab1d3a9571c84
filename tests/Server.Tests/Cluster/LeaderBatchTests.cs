using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>Several topics' writes in one transaction.</summary>
public sealed class LeaderBatchTests
{
    [Fact]
    public void What_all_writes_compare_is_compared_once()
    {
        var batch = new LeaderBatch(60);
        for (int i = 0; i < 60; i++)
        {
            Assert.True(batch.TryAdd($"/default/t{i}", Write(i)));
        }

        Assert.False(batch.TryAdd("/default/more", Write(60)));
        Assert.Equal((60, 62), (batch.Transaction.Operations.Count, batch.Transaction.Conditions.Count));
        Assert.Equal(60, batch.Topics.Count);
    }

    [Fact]
    public void A_write_that_finds_no_room_changes_nothing()
    {
        var batch = new LeaderBatch(1000);
        int added = 0;
        while (batch.TryAdd($"/default/t{added}", Write(added).IfAbsent($"/x/{added}")))
        {
            added++;
        }

        // Two conditions are each topic's own, two are common: 63 x 2 + 2 = 128.
        Assert.Equal((63, MetadataTransaction.MaxOperations), (added, batch.Transaction.Conditions.Count));
        Assert.Equal((63, 63), (batch.Topics.Count, batch.Transaction.Operations.Count));
    }

    private static MetadataTransaction Write(int topic) => new MetadataTransaction()
        .IfCreated(ClusterKeys.Leader, 5).IfCreated(ClusterKeys.Member(1), 7).IfRevision(ClusterKeys.Assignment($"/default/t{topic}"), 0)
        .Put(ClusterKeys.Assignment($"/default/t{topic}"), new byte[10]);
}
