using Danube.Fast.Bench.Peers;
using Danube.Fast.Bench.Peers.Workers;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests.Peers;

/// <summary>What the table of the peers says about winners, losers and rows that failed.</summary>
public sealed class PeerTableTests
{
    private static readonly PeerScenario Publish = PeerScenario.All(1024, 128)[0], Single = PeerScenario.All(1024, 128).First(s => s.IsLatency);

    [Fact]
    public void Ratios_are_taken_round_by_round_and_losing_rows_say_so()
    {
        PeerRow os = Row("Danube.Fast", "os", null, 1000, 3000, 2000), slow = Row("slow", "os", PeerKind.Redis, 500, 1000, 500), fast = Row("fast", "os", PeerKind.Nats, 2000, 2000, 8000);
        string[] lines = PeerTable.Text(Publish, [os, slow, fast]).Split('\n');
        Assert.Contains("3.00x (2.00x .. 4.00x)", lines[3]);
        Assert.Contains("ahead", lines[3]);
        Assert.Contains("0.50x (0.25x .. 1.50x)", lines[4]);
        Assert.Contains("BEHIND", lines[4]);
    }

    [Fact]
    public void Latency_is_compared_within_the_class_only()
    {
        PeerRow os = Latency("Danube.Fast", "os", null, 1000), peer = Latency("peer", "os", PeerKind.Redis, 4000), other = Latency("other", "fsync", PeerKind.Redis, 4000);
        string[] lines = PeerTable.Text(Single, [os, peer, other]).Split('\n');
        Assert.Contains("4.00x", lines[3]);
        Assert.Contains("ahead", lines[3]);
        Assert.DoesNotContain("ahead", lines[4]);
        Assert.DoesNotContain("BEHIND", lines[4]);
    }

    [Fact]
    public void A_round_that_lost_a_message_fails_its_row_and_is_in_no_ratio()
    {
        PeerRow os = Row("Danube.Fast", "os", null, 1000, 1000), peer = Row("peer", "os", PeerKind.Redis, 500);
        peer.Fail("one is missing");
        string text = PeerTable.Text(Publish, [os, peer]);
        Assert.Contains("2.00x (2.00x .. 2.00x)", text);
        Assert.Contains("FAILED: peer, os: one is missing", text);
    }

    [Fact]
    public void A_client_that_holds_its_server_back_is_named()
    {
        var row = new PeerRow(new Contender("peer", "os", "client", PeerKind.Redis));
        row.Add(new PeerSample { Rate = 1, ServerCores = 0.5, ServerThread = 0.5, ClientCores = 0.95, ClientThread = 0.95 });
        Assert.StartsWith("CLIENT", row.Limit());
        var server = new PeerRow(row.Contender);
        server.Add(new PeerSample { Rate = 1, ServerCores = 0.95, ServerThread = 0.95, ClientCores = 0.2, ClientThread = 0.2 });
        Assert.Equal("one thread of the server", server.Limit());
        var disturbed = new PeerRow(row.Contender);
        disturbed.Add(new PeerSample { Rate = 1, ServerCores = 0.7, ServerThread = 0.6, ClientCores = 0.2, ClientThread = 0.2, OtherCores = 1.1 });
        Assert.StartsWith("DISTURBED", disturbed.Limit());
    }

    private static PeerRow Row(string name, string durability, PeerKind? kind, params double[] rates)
    {
        var row = new PeerRow(new Contender(name, durability, "client", kind));
        foreach (double rate in rates)
        {
            row.Add(new PeerSample { Rate = rate });
        }

        return row;
    }

    private static PeerRow Latency(string name, string durability, PeerKind? kind, long nanoseconds)
    {
        var histogram = new LatencyHistogram();
        histogram.Record(nanoseconds, 100);
        var row = new PeerRow(new Contender(name, durability, "client", kind));
        row.Add(new PeerSample { Rate = 1, Latency = histogram });
        return row;
    }
}
