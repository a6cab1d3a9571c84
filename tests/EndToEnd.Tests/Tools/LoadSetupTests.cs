using Danube.Fast.Bench.Runs;
using Danube.Fast.Bench.Scenarios;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Client;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests.Tools;

/// <summary>What can be asked of <c>danube bench run</c>, and how the work is shared among processes.</summary>
public class LoadSetupTests
{
    [Fact]
    public void EveryScenarioCanBeRun()
    {
        Assert.All(Scenario.All, s => Assert.Null(s.Setup.Fault()));
        Assert.All(Scenario.All, s => Assert.True(RateWish.TryParse(s.Rate, out _)));
        Assert.Distinct(Scenario.All.Select(s => s.Name));
    }

    [Theory]
    [InlineData("max", 0, 0)]
    [InlineData("half", 0, 0.5)]
    [InlineData("80%", 0, 0.8)]
    [InlineData("50000", 50_000, 0)]
    [InlineData("50k", 50_000, 0)]
    [InlineData("1.5m", 1_500_000, 0)]
    public void RatesAreUnderstood(string text, double perSecond, double share)
    {
        Assert.True(RateWish.TryParse(text, out RateWish wish));
        Assert.Equal(perSecond, wish.PerSecond);
        Assert.Equal(share, wish.ShareOfHighest, 6);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("fast")]
    [InlineData("1e5")]
    [InlineData("k")]
    public void OtherRatesAreRefused(string text) => Assert.False(RateWish.TryParse(text, out _));

    [Fact]
    public void WhatCannotBeMeasuredIsSaid()
    {
        Assert.Contains("--size", new LoadSetup { SizeBytes = 4 }.Fault(), StringComparison.Ordinal);
        Assert.Contains("at least 6", new LoadSetup { Topics = 3, Subscriptions = 2, Consumers = 5 }.Fault(), StringComparison.Ordinal);
        Assert.Contains("exclusive", new LoadSetup { Consumers = 2, Type = SubscriptionType.Exclusive }.Fault(), StringComparison.Ordinal);
        Assert.Contains("--keys", new LoadSetup { Consumers = 2, Type = SubscriptionType.KeyShared }.Fault(), StringComparison.Ordinal);
        Assert.Contains("at most", new LoadSetup { Producers = 2000 }.Fault(), StringComparison.Ordinal);
    }

    [Fact]
    public void ProcessesShareClientsAndRate()
    {
        WorkerJob[] jobs = [.. WorkerGroup.Share(new WorkerJob { Clients = 7, Rate = 700 }, 3)];
        Assert.Equal([0, 2, 4], jobs.Select(j => j.FirstClient));
        Assert.Equal([2, 2, 3], jobs.Select(j => j.Clients));
        Assert.Equal([200.0, 200.0, 300.0], jobs.Select(j => j.Rate));
        Assert.Equal(2, WorkerGroup.Share(new WorkerJob { Clients = 2 }, 5).Count());
    }

    [Fact]
    public void SnapshotsOfProcessesAddUp()
    {
        LatencyHistogram one = new(), two = new();
        one.Record(1000);
        two.Record(9000, 3);
        WorkerSnapshot all = WorkerGroup.Merge(
        [
            new WorkerSnapshot { Ticks = long.MaxValue - 4, Messages = 5, Acknowledged = 4, Latency = one.ToSparse() },
            new WorkerSnapshot { Ticks = long.MaxValue - 2, Messages = 7, Acknowledged = 6, Latency = two.ToSparse() },
        ]);
        Assert.Equal((long.MaxValue - 3, 12, 10), (all.Ticks, all.Messages, all.Acknowledged));
        Assert.Equal((4, 9000), (LatencyHistogram.FromSparse(all.Latency).Count, LatencyHistogram.FromSparse(all.Latency).Max));
        Assert.Empty(all.Delay);
    }

    [Fact]
    public void TheFlowGateCountsCopies()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("danube-gate-").FullName, "gate");
        FlowGate.Create(path, 2, 3, 3);
        using (FlowGate gate = FlowGate.Open(path)!)
        {
            gate.SetPosted(0, 10);
            gate.SetPosted(1, 20);
            Assert.Equal(30, gate.Ahead);
            gate.SetReceived(0, 30);
            gate.SetReceived(1, 30);
            gate.SetReceived(2, 15);
            Assert.Equal(5, gate.Ahead);
        }

        Directory.Delete(Path.GetDirectoryName(path)!, true);
    }

    [Fact]
    public void PayloadsAreAsCompressibleAsWanted()
    {
        byte[][] pool = Payloads.Create(new WorkerJob { SizeBytes = 1000, RandomShare = 0.3, PayloadPool = 4 });
        Assert.Equal(4, pool.Length);
        Assert.All(pool, p => Assert.Equal(new byte[700], p[300..]));
        Assert.Distinct(pool.Select(Convert.ToHexString));
        Assert.Throws<InvalidDataException>(() => Payloads.Create(new WorkerJob { SizeBytes = int.MaxValue, PayloadFile = typeof(LoadSetupTests).Assembly.Location }));
    }
}
