using Danube.Fast.Bench.Peers;
using Danube.Fast.Bench.Peers.Workers;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests.Peers;

/// <summary>The targets that only a comparison can judge: P2 against JetStream, P5 against the best peer of the class.</summary>
public sealed class PeerTargetsTests
{
    private static readonly PeerScenario[] All = PeerScenario.All(1024, 128);

    [Fact]
    public void Publishing_is_judged_against_jetstream_with_and_without_sync_and_fast_ingest_only_stands_beside()
    {
        PeerRow own = Rate("Danube.Fast", "fsync", null, 900), quick = Rate("nats", "os", PeerKind.Nats, 100), synced = Rate("nats", "fsync", PeerKind.Nats, 5), fast = Rate("nats", "fsync", PeerKind.NatsFast, 3);
        Judgement[] rows = [.. PeerTargets.Of([(Of("publish"), [Rate("Danube.Fast", "os", null, 5000), own, quick, synced, fast, Rate("redis", "os", PeerKind.Redis, 1)])])];
        Assert.Equal([(true, "9.00x (9.00x .. 9.00x)"), (false, "180.00x (180.00x .. 180.00x)"), (null, "300.00x (300.00x .. 300.00x)")], rows.Select(r => (r.IsMet, r.Figure)));
        Assert.All(rows, r => Assert.Equal("P2", r.Target));
    }

    [Fact]
    public void The_best_peer_of_the_class_decides_at_each_percentile()
    {
        PeerRow own = Latency("Danube.Fast", "os", null, 25, 200), quickly = Latency("one", "os", PeerKind.Redis, 50, 1000), steady = Latency("two", "os", PeerKind.RabbitMq, 100, 100);
        Judgement lost = Assert.Single(PeerTargets.Of([(Of("half"), [own, quickly, steady, Latency("other class", "fsync", PeerKind.Redis, 1, 1)])]));
        Assert.False(lost.IsMet);
        Assert.Contains("2.00x", lost.Figure);
        Assert.Contains("0.50x", lost.Figure);
        Assert.Contains("one p99", lost.Beside);
        Assert.Contains("two p99.9", lost.Beside);
        Judgement won = Assert.Single(PeerTargets.Of([(Of("half"), [own, quickly])]));
        Assert.True(won.IsMet);
    }

    [Fact]
    public void Without_a_peer_of_the_class_there_is_nothing_to_judge() =>
        Assert.Empty(PeerTargets.Of([(Of("half"), [Latency("Danube.Fast", "os", null, 50, 100)]), (Of("consume"), [Rate("Danube.Fast", "os", null, 1), Rate("nats", "os", PeerKind.Nats, 2)])]));

    private static PeerScenario Of(string name) => All.Single(s => s.Name == name);

    private static PeerRow Rate(string name, string durability, PeerKind? kind, double rate)
    {
        var row = new PeerRow(new Contender(name, durability, "client", kind));
        row.Add(new PeerSample { Rate = rate });
        return row;
    }

    // So many microseconds at p99, and at p99.9.
    private static PeerRow Latency(string name, string durability, PeerKind? kind, long p99, long p999)
    {
        var histogram = new LatencyHistogram();
        histogram.Record(1, 9800);
        histogram.Record(p99 * 1000, 180);
        histogram.Record(p999 * 1000, 20);
        var row = new PeerRow(new Contender(name, durability, "client", kind));
        row.Add(new PeerSample { Rate = 1, Latency = histogram });
        return row;
    }
}
