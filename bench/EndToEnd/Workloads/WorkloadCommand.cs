using System.Globalization;
using System.Text.Json;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Workloads;

/// <summary>What the command line adds to a workload file.</summary>
/// <param name="Common">Durability, sizes of batch and window, processes: what the file does not know.</param>
/// <param name="Seconds">Overrules the test duration.</param>
/// <param name="WarmUpSeconds">Overrules the warm-up.</param>
/// <param name="Output">File of the result; null = a name of its own in the current folder.</param>
public sealed record WorkloadOptions(LoadSetup Common, double? Seconds, double? WarmUpSeconds, FileInfo? Output);

/// <summary><c>danube bench run --workload FILE</c>.</summary>
public static class WorkloadCommand
{
    private const int Usage = 2;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(FileInfo file, WorkloadOptions options, CancellationToken cancellation)
    {
        Workload workload;
        try
        {
            workload = WorkloadReader.Read(file);
        }
        catch (WorkloadException e)
        {
            Console.Error.WriteLine(e.Message);
            return Usage;
        }

        LoadSetup setup = workload.ToSetup(options.Common);
        if ((setup.Fault() ?? NoSpace(workload, setup)) is { } fault)
        {
            Console.Error.WriteLine($"{file.Name}: {fault}");
            return Usage;
        }

        var timing = new WorkloadTiming(
            TimeSpan.FromSeconds(options.WarmUpSeconds ?? workload.WarmupDurationMinutes * 60), TimeSpan.FromSeconds(options.Seconds ?? workload.TestDurationMinutes * 60));
        Console.WriteLine(MachineInfo.Describe(setup.DataParent));
        Console.WriteLine($"{workload.Name}: {setup.Describe()}; warm-up {timing.WarmUp.TotalSeconds:0} s, test {timing.Test.TotalSeconds:0} s in periods of {timing.Period.TotalSeconds:0.#} s");
        DateTime begin = DateTime.UtcNow;
        IReadOnlyList<WorkloadPeriod> periods = await WorkloadRun.ExecuteAsync(workload, setup, timing, cancellation);
        Print(workload, periods);
        string name = string.Join('-', workload.Name.Split([.. Path.GetInvalidFileNameChars(), ' '], StringSplitOptions.RemoveEmptyEntries));
        FileInfo output = options.Output ?? new FileInfo($"{name}-danube-{begin.ToString("yyyy-MM-dd-HH-mm-ss", CultureInfo.InvariantCulture)}.json");
        await File.WriteAllTextAsync(output.FullName, WorkloadResult.ToJson(workload, "danube-" + setup.Durability, begin, DateTime.UtcNow, periods).ToJsonString(Indented), cancellation);
        Console.WriteLine("Result: " + output.FullName);
        return 0;
    }

    private static string? NoSpace(Workload workload, LoadSetup setup)
    {
        long free = new DriveInfo(Path.GetFullPath(setup.DataParent ?? Path.GetTempPath())).AvailableFreeSpace, needed = workload.BacklogBytes * 5 / 4;
        return free >= needed ? null : $"the backlog takes about {needed / 1e9:0.0} GB, {free / 1e9:0.0} GB are free; choose another disk with --data.";
    }

    private static void Print(Workload workload, IReadOnlyList<WorkloadPeriod> periods)
    {
        var table = new TextTable("period", "published", "", "consumed", "backlog", "publish p50", "p99", "p99.9", "end to end p50", "p99", "p99.9");
        LatencyHistogram publish = new(), delay = new(), endToEnd = new();
        for (int i = 0; i < periods.Count; i++)
        {
            WorkloadPeriod period = periods[i];
            publish.Add(period.Publish);
            delay.Add(period.Delay);
            endToEnd.Add(period.EndToEnd);
            table.Add(
                (i + 1).ToString(CultureInfo.InvariantCulture), Figures.Rate(period.PublishRate), Figures.Bandwidth(period.PublishRate * workload.MessageSize), Figures.Rate(period.ConsumeRate),
                period.Backlog.ToString("N0", CultureInfo.InvariantCulture), Time(period.Publish, 50), Time(period.Publish, 99), Time(period.Publish, 99.9),
                Time(period.EndToEnd, 50), Time(period.EndToEnd, 99), Time(period.EndToEnd, 99.9));
        }

        Console.WriteLine(table);
        Console.WriteLine();
        var latency = new LatencyTable();
        latency.Add("publish -> acknowledgement", publish);
        if (delay.Count > 0)
        {
            latency.Add("intended send time -> handed to the client", delay);
        }

        if (endToEnd.Count > 0)
        {
            latency.Add("end to end", endToEnd);
        }

        Console.WriteLine(latency);

        static string Time(LatencyHistogram histogram, double percent) => histogram.Count == 0 ? "" : Figures.Time(histogram.Percentile(percent));
    }
}
