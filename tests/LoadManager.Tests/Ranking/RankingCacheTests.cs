namespace Danube.Fast.LoadManager.Tests;

/// <summary>One computation per change, however many ask; batches cost one.</summary>
public sealed class RankingCacheTests
{
    [Fact]
    public void A_ranking_is_kept_until_a_report_an_assignment_or_the_interval()
    {
        Cluster cluster = new Cluster().With(1).With(2);
        LoadManager.Ranking first = cluster.Load.Ranking();
        Assert.Same(first, cluster.Load.Ranking());
        cluster.Report(1);
        LoadManager.Ranking second = cluster.Load.Ranking();
        Assert.NotSame(first, second);
        cluster.Load.AssignmentsChanged(5);
        LoadManager.Ranking third = cluster.Load.Ranking();
        Assert.NotSame(second, third);
        cluster.Clock.Advance(29);
        Assert.Same(third, cluster.Load.Ranking());
        cluster.Clock.Advance(1);
        Assert.NotSame(third, cluster.Load.Ranking());
        Assert.Equal(4, cluster.Load.RankingsComputed);
        Assert.Equal(4, cluster.Load.RankingLatencyMs.Count);
    }

    [Fact]
    public void A_batch_of_reports_costs_one_ranking()
    {
        var cluster = new Cluster();
        ReportUpdate[] batch = [.. Enumerable.Range(1, 500).Select(i => new ReportUpdate(i, new LoadReport { BrokerId = i, TopicsLen = i }, i))];
        long before = cluster.Load.Board.View.Generation;
        Assert.Equal(500, cluster.Load.Board.Apply(batch));
        Assert.Equal(before + 1, cluster.Load.Board.View.Generation);
        for (int ask = 0; ask < 100; ask++)
        {
            cluster.Load.Ranking();
        }

        Assert.Equal(1, cluster.Load.RankingsComputed);
    }

    [Fact]
    public async Task Whoever_comes_while_it_is_computed_gets_that_one()
    {
        var clock = new ManualClock();
        var cache = new RankingCache(TimeSpan.FromSeconds(30), clock);
        var ranker = new BrokerRanker(new LoadManagerOptions());
        var board = new BrokerBoard(clock);
        using var entered = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        Task<LoadManager.Ranking>[] asks = [.. Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(() => cache.GetOrCompute(0, 0, () =>
        {
            entered.Set();
            Assert.True(go.Wait(TimeSpan.FromSeconds(60)));
            return ranker.Rank(board.View, clock);
        }), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        Assert.True(entered.Wait(TimeSpan.FromSeconds(60)));
        go.Set();
        LoadManager.Ranking[] all = await Task.WhenAll(asks);
        Assert.All(all, r => Assert.Same(all[0], r));
        Assert.Equal(1, cache.Computations);
    }

    [Fact]
    public async Task Reports_and_rankings_from_many_threads_keep_whole_pictures()
    {
        var load = new ClusterLoad(new LoadManagerOptions { RankingAlgorithm = RankingAlgorithm.Simple }, TimeProvider.System);
        const int Brokers = 20, Rounds = 300;
        for (int id = 1; id <= Brokers; id++)
        {
            load.Board.Join(id);
        }

        // Every batch gives all brokers the same number of topics: a ranking that mixes two batches has two scores.
        Task writer = Task.Run(() =>
        {
            for (int round = 1; round <= Rounds; round++)
            {
                int topics = round;
                load.Board.Apply([.. Enumerable.Range(1, Brokers).Select(id => new ReportUpdate(id, new LoadReport { BrokerId = id, TopicsLen = topics }, topics))]);
            }
        });
        Task[] readers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            while (!writer.IsCompleted)
            {
                LoadManager.Ranking ranking = load.Ranking();
                Assert.Single(ranking.Brokers.ToArray().Where(b => b.IsRanked).Select(b => b.Score).Append(ranking.Brokers[0].Score).Where(s => !double.IsNaN(s)).DefaultIfEmpty(0).Distinct());
            }
        }))];
        await Task.WhenAll([writer, .. readers]);
        Assert.All(load.Ranking().Brokers.ToArray(), b => Assert.Equal(Rounds, b.Score));
    }
}
