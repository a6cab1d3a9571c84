namespace Danube.Fast.LoadManager.Tests;

/// <summary>Rates of counters, each reader by itself.</summary>
public sealed class TopicLoadCalculatorTests
{
    private static readonly double[] Bounds = [0.1, 0.2, 0.5, 1, 2, 5];

    private readonly ManualClock _clock = new();

    [Fact]
    public void Rates_are_of_the_time_between_two_readings()
    {
        var calculator = new TopicLoadCalculator(_clock);
        TopicLoads first = calculator.Next([Sample("/a/b", 100, 10_000, 50, 5_000)]);
        Assert.Equal((0, 0, TimeSpan.Zero), (first.Topics[0].MessageRate, first.Topics[0].ByteRate, first.Window));
        _clock.Advance(10);
        TopicLoad load = calculator.Next([Sample("/a/b", 1100, 10_010_000, 250, 25_000)]).Topics[0];
        Assert.Equal((100, 1_000_000, 2_000), (load.MessageRate, load.ByteRate, load.OutByteRate));
        Assert.Equal(8, load.ByteRateMbps);
        Assert.Equal(1, load.LoadShare);
    }

    [Fact]
    public void Readers_do_not_disturb_each_other()
    {
        TopicLoadCalculator report = new(_clock), page = new(_clock);
        report.Next([Sample("/a/b", 0, 0, 0, 0)]);
        page.Next([Sample("/a/b", 0, 0, 0, 0)]);
        for (int second = 1; second <= 9; second++)
        {
            _clock.Advance(1);
            Assert.Equal(10, page.Next([Sample("/a/b", second * 10, 0, 0, 0)]).Topics[0].MessageRate);
        }

        _clock.Advance(1);
        Assert.Equal(10, report.Next([Sample("/a/b", 100, 0, 0, 0)]).Topics[0].MessageRate);
    }

    [Fact]
    public void A_topic_that_is_opened_anew_or_appears_counts_from_zero()
    {
        var calculator = new TopicLoadCalculator(_clock);
        calculator.Next([Sample("/a/b", 5000, 0, 0, 0) with { Opening = 1 }, Sample("/a/c", 5000, 0, 0, 0)]);
        _clock.Advance(10);
        TopicLoads loads = calculator.Next([Sample("/a/b", 6000, 0, 0, 0) with { Opening = 2 }, Sample("/a/c", 100, 0, 0, 0), Sample("/a/d", 300, 0, 0, 0)]);
        Assert.Equal([("/a/b", 600), ("/a/d", 30), ("/a/c", 10)], loads.Topics.Select(t => (t.TopicName, t.MessageRate)));
    }

    [Fact]
    public void Topics_that_are_gone_are_forgotten()
    {
        var calculator = new TopicLoadCalculator(_clock);
        calculator.Next([Sample("/a/b", 100, 0, 0, 0), Sample("/a/c", 1, 0, 0, 0)]);
        _clock.Advance(1);
        Assert.Single(calculator.Next([Sample("/a/c", 1, 0, 0, 0)]).Topics);
        _clock.Advance(1);
        Assert.Equal(150, calculator.Next([Sample("/a/b", 150, 0, 0, 0), Sample("/a/c", 1, 0, 0, 0)]).Topics[0].MessageRate);
    }

    [Fact]
    public void Shares_count_bytes_both_ways_and_256_for_each_message()
    {
        var calculator = new TopicLoadCalculator(_clock);
        calculator.Next([Sample("/a/small", 0, 0, 0, 0), Sample("/a/large", 0, 0, 0, 0), Sample("/a/idle", 0, 0, 0, 0)]);
        _clock.Advance(30);
        TopicLoads loads = calculator.Next([Sample("/a/small", 1000, 10_000, 1000, 10_000), Sample("/a/large", 10, 400_000, 10, 100_000), Sample("/a/idle", 0, 0, 0, 0)]);
        double small = 20_000 + (256 * 2000), large = 500_000 + (256 * 20);
        Assert.Equal(["/a/small", "/a/large", "/a/idle"], loads.Topics.Select(t => t.TopicName));
        Assert.Equal(small / (small + large), loads.Topics[0].LoadShare, 12);
        Assert.Equal(large / (small + large), loads.Topics[1].LoadShare, 12);
        Assert.Equal(0, loads.Topics[2].LoadShare);
    }

    [Fact]
    public void Ties_are_by_name_and_topics_that_stay_come_last()
    {
        var calculator = new TopicLoadCalculator(_clock);
        TopicSample[] before = [Sample("/a/c", 0, 0, 0, 0), Sample("/a/b", 0, 0, 0, 0), Sample("/a/held", 0, 0, 0, 0) with { StaysHere = true }];
        calculator.Next(before);
        _clock.Advance(1);
        TopicLoads loads = calculator.Next(before.Select(s => s with { MessagesIn = s.StaysHere ? 900 : 10 }));
        Assert.Equal(["/a/b", "/a/c", "/a/held"], loads.Topics.Select(t => t.TopicName));
    }

    [Fact]
    public void Latencies_are_those_of_the_window_and_below_a_millisecond_visible()
    {
        var calculator = new TopicLoadCalculator(_clock);
        calculator.Next([WithLatency("/a/b", [0, 0, 0, 0, 0, 900, 0], 4000)]);
        _clock.Advance(1);
        TopicLoads loads = calculator.Next([WithLatency("/a/b", [50, 49, 0, 1, 0, 900, 0], 4000 + 11)]);
        Assert.Equal(0.11, loads.Topics[0].AvgLatencyMs, 9);
        // 99 of 100 are at most 0.2 ms.
        Assert.Equal(0.2, loads.Topics[0].P99LatencyMs, 9);
        Assert.Equal(0.2, loads.PublishP99Ms!.Value, 9);
        _clock.Advance(1);
        TopicLoads idle = calculator.Next([WithLatency("/a/b", [50, 49, 0, 1, 0, 900, 0], 4011)]);
        Assert.Equal((0, 0, null), (idle.Topics[0].AvgLatencyMs, idle.Topics[0].P99LatencyMs, idle.PublishP99Ms));
    }

    [Fact]
    public void The_brokers_percentile_is_over_all_topics()
    {
        var calculator = new TopicLoadCalculator(_clock);
        calculator.Next([WithLatency("/a/b", new long[7], 0), WithLatency("/a/c", new long[7], 0)]);
        _clock.Advance(1);
        TopicLoads loads = calculator.Next([WithLatency("/a/b", [980, 0, 0, 0, 0, 0, 0], 50), WithLatency("/a/c", [0, 0, 0, 20, 0, 0, 0], 15)]);
        Assert.Equal(0.75, loads.PublishP99Ms!.Value, 9);
    }

    [Fact]
    public void Sizes_backlog_and_connections_are_as_sampled()
    {
        TopicLoad load = new TopicLoadCalculator(_clock).Next([Sample("/a/b", 0, 0, 0, 0) with
        {
            WalBytes = 700,
            CloudBytes = 300,
            BacklogMessages = 5,
            OldestMessageAge = TimeSpan.FromSeconds(61.9),
            Producers = 1,
            Consumers = 2,
            Subscriptions = 3,
        }]).Topics[0];
        Assert.Equal((1000, 700, 300, 5, 61, 1, 2, 3), (load.DiskSizeBytes, load.WalSizeBytes, load.CloudSizeBytes, load.BacklogMessages, load.OldestMessageAgeSec, load.ProducerCount, load.ConsumerCount, load.SubscriptionCount));
    }

    private static TopicSample Sample(string name, long messagesIn, long bytesIn, long messagesOut, long bytesOut) =>
        new() { Name = name, MessagesIn = messagesIn, BytesIn = bytesIn, MessagesOut = messagesOut, BytesOut = bytesOut };

    private static TopicSample WithLatency(string name, long[] counts, double sumMs) =>
        new() { Name = name, Latency = new LatencySample(Bounds, counts, sumMs) };
}
