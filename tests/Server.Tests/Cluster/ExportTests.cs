using System.Net;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>An export says everything there is, or that it cannot.</summary>
public sealed class ExportTests
{
    private const string Address = "/admin/v1/cluster/export";

    [Theory]
    [InlineData(ClusterKeys.Namespaces + "later")]
    [InlineData(ClusterKeys.Topics + "default/later")]
    [InlineData(ClusterKeys.Subscriptions + "77/later")]
    public async Task Nothing_is_exported_while_a_record_cannot_be_read(string key)
    {
        await using var rig = new ClusterRig();
        RigBroker broker = await rig.StartAsync(1);
        using HttpClient http = broker.Http();
        await rig.Store.PutAsync(key, "null"u8.ToArray());
        await rig.UntilSeenAsync(1);
        using (HttpResponseMessage refused = await http.GetAsync(Address))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Contains("Ask another broker", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        await rig.Store.DeleteAsync(key);
        await rig.UntilSeenAsync(1);
        using HttpResponseMessage exported = await http.GetAsync(Address);
        Assert.Equal(HttpStatusCode.OK, exported.StatusCode);
    }

    [Fact]
    public async Task A_broker_that_is_cut_off_exports_nothing()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(1);
        Assert.Null(cluster.Topics(1).CheckExport());
        cluster.WayOf(1).Cut();
        await HostedCluster.UntilAsync("it can prove nothing", () => Task.FromResult(!cluster.Topics(1).Lookup!.IsProven));
        Assert.Equal(Protocol.ErrorCode.OwnerUnproven, cluster.Topics(1).CheckExport()!.Code);
    }
}
