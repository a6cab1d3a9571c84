using System.Globalization;
using Danube.Fast.Tests;

namespace Danube.Fast.LoadManager.Tests;

/// <summary>What 100 brokers with 100 topics each write: below 50 puts a second, also when all of their loads swing.</summary>
public sealed class PostingBudgetTests
{
    private const int Brokers = 100, Topics = 100, Seconds = 600, Budget = 50;

    [Theory]
    [InlineData("steady", 1)]
    [InlineData("swinging by 30 points every 10 s", 30)]
    public void Reports_stay_within_the_budget_of_the_store(string load, int points)
    {
        var clock = new ManualClock();
        var options = new LoadManagerOptions();
        var random = new Random(7);
        var brokers = new List<(ScriptedMonitor Monitor, ResourceSampler Sampler, ReportSchedule Schedule)>();
        for (int b = 0; b < Brokers; b++)
        {
            int broker = b;
            var monitor = new ScriptedMonitor();
            var sampler = new ResourceSampler(monitor, TimeSpan.FromSeconds(2), clock);
            var builder = new LoadReportBuilder(sampler, () => Enumerable.Range(0, Topics).Select(t => new TopicSample { Name = $"/budget/b{broker}-t{t}" }), () => 0, options, clock);
            brokers.Add((monitor, sampler, new ReportSchedule(builder, new PostingPolicy(options, clock, new Random(b)), options)));
        }

        // They do not all start at the same moment.
        var perSecond = new int[Seconds];
        long largest = 0;
        for (int second = 0; second < Seconds; second++)
        {
            clock.Advance(1);
            for (int b = 0; b < Brokers; b++)
            {
                if (second < b / 10)
                {
                    continue;
                }

                (ScriptedMonitor monitor, ResourceSampler sampler, ReportSchedule schedule) = brokers[b];
                monitor.Usage = new ResourceUsage { CpuPercent = 40 + ((second / 10 + b) % 2 * points) + random.NextDouble(), MemoryPercent = 50 };
                sampler.Sample();
                if (schedule.Next(b + 1, 1, 0) is { } report)
                {
                    perSecond[second]++;
                    largest = Math.Max(largest, report.Length);
                }
            }
        }

        brokers.ForEach(b => b.Sampler.Dispose());
        int most = perSecond.Max();
        LongMode.Report("Posting budget", string.Create(CultureInfo.InvariantCulture, $"{Brokers} brokers, {Brokers * Topics} topics, {load}: {perSecond.Average():0.0} puts/s, at most {most} in one second, largest report {largest} bytes"));
        Assert.InRange(perSecond.Average(), 1, Budget);

        // When all swing in the same second they post in the same second: the budget is a mean.
        Assert.InRange(most, 1, points < options.ReportChangePoints ? Budget : Brokers);
        Assert.InRange(largest, 1, LoadReportWriter.MaxBytes);
    }
}
