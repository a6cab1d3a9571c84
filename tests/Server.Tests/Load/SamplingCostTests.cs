using System.Diagnostics;
using System.Globalization;
using Danube.Fast.LoadManager;
using Danube.Fast.Server.Load;
using Danube.Fast.Tests;

namespace Danube.Fast.Server.Tests;

/// <summary>Says what it costs to make a report of 1,000 topics that are in use; every one of them is in it.</summary>
public sealed class SamplingCostTests
{
    private const int Topics = 1000, Rounds = 50;

    [Fact]
    public async Task A_report_of_a_thousand_topics()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        for (int t = 0; t < Topics; t++)
        {
            await client.CreateProducerAsync($"/cost/t{t}");
            await client.SubscribeAsync($"/cost/t{t}");
        }

        var sampler = new TopicSampler(broker.Host.Topics, onlyOpen: false, TimeProvider.System);
        var calculator = new TopicLoadCalculator(TimeProvider.System);
        var writer = new LoadReportWriter();
        TopicLoads loads = calculator.Next(sampler.Take());
        long before = Stopwatch.GetTimestamp(), allocated = GC.GetAllocatedBytesForCurrentThread();
        int bytes = 0;
        for (int round = 0; round < Rounds; round++)
        {
            loads = calculator.Next(sampler.Take());
            bytes = writer.Write(new LoadReport { TopicsLen = loads.Topics.Count, Topics = loads.Topics }).Length;
        }

        double ms = Stopwatch.GetElapsedTime(before).TotalMilliseconds / Rounds;
        allocated = (GC.GetAllocatedBytesForCurrentThread() - allocated) / Rounds;
        before = Stopwatch.GetTimestamp();
        for (int round = 0; round < Rounds; round++)
        {
            sampler.PayloadIn();
        }

        double look = Stopwatch.GetElapsedTime(before).TotalMilliseconds / Rounds;
        double part = ((ms / new LoadManagerOptions().ReportIntervalSeconds) + look) / 1000 * 100;
        LongMode.Report("Load report", string.Create(CultureInfo.InvariantCulture, $"{Topics} topics: {ms:0.00} ms and {allocated / 1000} kB each, {bytes} bytes; a look once a second {look:0.000} ms; together {part:0.000} % of a core"));
        Assert.Equal(Topics, loads.Topics.Count(t => t is { ProducerCount: 1, ConsumerCount: 1, SubscriptionCount: 1 }));
        Assert.InRange(bytes, 1, LoadReportWriter.MaxBytes);
    }
}
