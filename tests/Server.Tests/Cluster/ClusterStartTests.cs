using System.Net;
using System.Net.Sockets;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>How a broker joins a cluster, waits for it, and leaves.</summary>
public sealed class ClusterStartTests
{
    [Fact]
    public async Task A_broker_waits_for_the_store_and_says_so()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(0);
        cluster.WayOf(1).Cut();
        int port = FreePort();
        Task starting = cluster.StartBrokerAsync(1, httpPort: port);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(60) };
        string answer = "";
        await HostedCluster.UntilAsync("the health page says what is waited for", async () =>
        {
            try
            {
                HttpResponseMessage reply = await http.GetAsync(new Uri("/readyz", UriKind.Relative));
                Assert.Equal(HttpStatusCode.ServiceUnavailable, reply.StatusCode);
                answer = await reply.Content.ReadAsStringAsync();
                return answer.Contains("waiting for", StringComparison.Ordinal);
            }
            catch (HttpRequestException)
            {
                return false; // It listens in a moment.
            }
        });
        Assert.Contains("cut", answer);
        Assert.False(starting.IsCompleted);
        cluster.WayOf(1).Mend();
        await starting;
        await HostedCluster.UntilAsync("it is ready", async () => (await http.GetAsync(new Uri("/readyz", UriKind.Relative))).StatusCode == HttpStatusCode.OK);

        // The reason shows at once when the store goes away, the answer turns later.
        cluster.WayOf(1).Cut();
        await HostedCluster.UntilAsync("the reason shows", async () => (await http.GetStringAsync(new Uri("/readyz", UriKind.Relative))).Contains("no proof of its session", StringComparison.Ordinal));
        await HostedCluster.UntilAsync("it is not ready", async () => (await http.GetAsync(new Uri("/readyz", UriKind.Relative))).StatusCode == HttpStatusCode.ServiceUnavailable);
        Assert.True(cluster.Node(1).Proof.SinceLast >= ClusterNode.ReadyWithoutProof);
    }

    [Fact]
    public async Task An_id_belongs_to_one_folder_and_a_folder_to_one_id()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(1);
        BrokerStartException taken = await Assert.ThrowsAsync<BrokerStartException>(() => cluster.StartBrokerAsync(1, cluster.FolderOf(7)));
        Assert.Contains($"Broker 1 is already in the cluster, at {cluster.Host(1).NativeEndPoint}", taken.Message);
        string folder = cluster.FolderOf(1);
        await cluster.StopAsync(1);

        // It is gone at once: the lease was revoked, not left to end.
        Assert.Null(await cluster.Store.GetAsync(ClusterKeys.Member(1)));
        BrokerStartException other = await Assert.ThrowsAsync<BrokerStartException>(() => cluster.StartBrokerAsync(2, folder));
        Assert.Contains("belongs to broker 1, but broker.id is 2", other.Message);
        BrokerStartException alone = await Assert.ThrowsAsync<BrokerStartException>(() => TestBroker.StartAsync(folder: folder));
        Assert.Contains("was used with meta_store etcd", alone.Message);
        await cluster.StartBrokerAsync(1);
    }

    [Fact]
    public async Task A_folder_of_a_broker_by_itself_is_not_taken_into_a_cluster()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(0);
        await using (await TestBroker.StartAsync(folder: cluster.FolderOf(1)))
        {
        }

        BrokerStartException refused = await Assert.ThrowsAsync<BrokerStartException>(() => cluster.StartBrokerAsync(1));
        Assert.Contains("was used with meta_store embedded", refused.Message);
    }

    [Fact]
    public async Task A_broker_that_starts_again_serves_what_it_has_stored()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(1);
        Assert.Null((await cluster.CreateAsync(1, "/default/t", "fsync")).Refusal);
        await HostedTraffic.PublishAsync(cluster.Host(1), "/default/t");
        long epoch = (await cluster.PlaceAsync("/default/t"))!.Epoch;
        await cluster.StopAsync(1);
        await cluster.StartBrokerAsync(1);
        await cluster.ServedAsync("/default/t", a => a.Epoch > epoch);
        Assert.Equal(1, cluster.Topics(1).Find("/default/t").Value!.Topic!.Log.Committed);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
