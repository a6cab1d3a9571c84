using Danube.Fast.Tests;

namespace Danube.Fast.LoadManager.Tests;

/// <summary>Whole clusters in one process, with the real reports, ranking and placement, and a clock that is turned by hand.</summary>
public sealed class SimulationTests
{
    private const double Interval = 30;

    [Fact]
    public void The_rank_order_of_two_thousand_brokers_is_that_of_their_measured_load()
    {
        const int Brokers = 2000, Topics = 20;
        var clock = new ManualClock();
        var load = new ClusterLoad(new LoadManagerOptions(), clock);
        var random = new Random(42);
        SimulatedBroker[] brokers = [.. Enumerable.Range(1, Brokers).Select(id => new SimulatedBroker(id, 1 << random.Next(1, 5), clock))];
        foreach (SimulatedBroker broker in brokers)
        {
            load.Board.Join(broker.Id);
            double level = random.NextDouble() * 30 * broker.Cores;
            for (int t = 0; t < Topics; t++)
            {
                broker.Topics[$"/sim/b{broker.Id}-t{t}"] = level * random.NextDouble() * 2 / Topics;
            }
        }

        Report(load, brokers, clock, 1);
        Report(load, brokers, clock, 2);
        long[] ranked = [.. load.Ranking().Brokers.ToArray().Select(b => b.Id)];
        double[] truth = [.. ranked.Select(id => brokers[id - 1].Cpu)];
        double accuracy = Spearman(truth);
        LongMode.Report(nameof(The_rank_order_of_two_thousand_brokers_is_that_of_their_measured_load), $"rank correlation of {Brokers} brokers with their true load {accuracy:0.000}");
        Assert.InRange(accuracy, 0.95, 1);
        Array.ForEach(brokers, b => b.Dispose());
    }

    [Fact]
    public void A_growing_cluster_stays_even_through_joins_deaths_and_stale_reports()
    {
        const int Rounds = 30, TopicsPerRound = 200;
        var clock = new ManualClock();
        var load = new ClusterLoad(new LoadManagerOptions(), clock);
        var random = new Random(5);
        var owners = new Dictionary<string, (long Broker, double Mbps)>();
        List<SimulatedBroker> brokers = [.. Enumerable.Range(1, 20).Select(id => new SimulatedBroker(id, 4, clock))];
        brokers.ForEach(b => load.Board.Join(b.Id));
        Report(load, brokers, clock, 1);
        long revision = 1;
        var silent = new HashSet<long>();
        for (int round = 0; round < Rounds; round++)
        {
            if (round == 10)
            {
                // Broker 3 dies: its topics go elsewhere. Broker 4 goes on but its reports do not arrive.
                load.Board.Leave(3);
                silent.UnionWith([3, 4]);
                string[] lost = [.. brokers[2].Topics.Keys];
                brokers[2].Topics.Clear();
                foreach (string topic in lost)
                {
                    load.Placement.Released(topic);
                    Assign(topic, owners[topic].Mbps, 3);
                }
            }

            if (round == 15)
            {
                SimulatedBroker joined = new(21, 4, clock);
                brokers.Add(joined);
                load.Board.Join(21);
            }

            for (int i = 0; i < TopicsPerRound; i++)
            {
                Assign($"/sim/r{round}-{i}", Math.Exp(random.NextDouble() * 4) / 50, null);
            }

            Report(load, brokers.Where(b => !silent.Contains(b.Id)), clock, ++revision);
            Assert.Equal(round < 10, load.Ranking().Find(3)!.Value.IsRanked);
            if (round > 13)
            {
                Assert.Equal(BrokerStanding.Stale, load.Ranking().Find(4)!.Value.Standing);
            }
        }

        double[] busy = [.. brokers.Where(b => !silent.Contains(b.Id) && b.Id != 21).Select(b => b.Cpu)];
        int atFour = brokers[3].Topics.Count;
        LongMode.Report(nameof(A_growing_cluster_stays_even_through_joins_deaths_and_stale_reports), $"{owners.Count} topics, processor use {busy.Min():0.0} to {busy.Max():0.0} %, imbalance {Imbalance.Of(busy):0.000}");
        Assert.InRange(Imbalance.Of(busy), 0, 0.15);
        Assert.All(owners.Values, o => Assert.NotEqual(3, o.Broker));
        // What the silent broker got before its report was stale is what it has.
        Assert.InRange(atFour, 1, brokers[4].Topics.Count - 1);
        brokers.ForEach(b => b.Dispose());

        void Assign(string topic, double mbps, long? previous)
        {
            PlacementDecision decision = load.Placement.Place(Cluster.Request(topic, previous: previous));
            long chosen = decision.Broker!.Value;
            SimulatedBroker broker = brokers.Single(b => b.Id == chosen);
            broker.Topics[topic] = mbps;
            broker.AppliedRevision = ++revision;
            load.Placement.Served(topic, revision);
            load.AssignmentsChanged(revision);
            owners[topic] = (chosen, mbps);
        }
    }

    private static void Report(ClusterLoad load, IEnumerable<SimulatedBroker> brokers, ManualClock clock, long revision)
    {
        clock.Advance(Interval);
        var batch = new List<ReportUpdate>();
        foreach (SimulatedBroker broker in brokers)
        {
            byte[] json = broker.Report(Interval);
            Assert.InRange(json.Length, 1, LoadReportWriter.MaxBytes);
            Assert.True(LoadReportReader.TryRead(json, out LoadReport? report, out string? fault), fault);
            batch.Add(new ReportUpdate(broker.Id, report, revision));
        }

        Assert.Equal(batch.Count, load.Board.Apply(batch));
    }

    // Of the order 0, 1, 2, ... with figures that should grow along it.
    private static double Spearman(double[] figures)
    {
        int n = figures.Length;
        int[] order = [.. Enumerable.Range(0, n).OrderBy(i => figures[i])];
        double squares = 0;
        for (int rank = 0; rank < n; rank++)
        {
            double difference = rank - order[rank];
            squares += difference * difference;
        }

        return 1 - (6 * squares / ((double)n * ((double)n * n - 1)));
    }
}
