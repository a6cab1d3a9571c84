using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Limits;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>Prints what the machine itself can do: the yardsticks of every other figure.</summary>
internal static class LimitsCommand
{
    private const int ChunkBytes = 64 * 1024;

    public static Command Create()
    {
        Option<int> rounds = CommonOptions.Rounds(3);
        Option<double> seconds = CommonOptions.LimitSeconds();
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<int> sustained = new("--sustained") { Description = "only: write so many GB without a sync and print what the disk takes once the kernel makes the writer wait" };
        var command = new Command("limits", "what loopback sockets and the disk give without a broker") { rounds, seconds, data, json, sustained };
        command.SetAction(parse => parse.GetValue(sustained) is > 0 and int gigabytes ? RunSustained(gigabytes, parse.GetValue(data) ?? Path.GetTempPath()) : Run(parse.GetValue(rounds), TimeSpan.FromSeconds(parse.GetValue(seconds)), parse.GetValue(data) ?? Path.GetTempPath(), parse.GetValue(json)));
        return command;
    }

    private static int Run(int rounds, TimeSpan duration, string folder, FileInfo? json)
    {
        Console.WriteLine(MachineInfo.Describe());
        var table = new TextTable("limit", "median", "min", "max", "1 KiB messages");
        var report = new JsonReport("limits");
        Row("one hop, 64 KiB chunks", _ => SocketLimit.OneHop(ChunkBytes, duration));
        Row("relay, 64 KiB chunks", _ => SocketLimit.Relay(ChunkBytes, duration));
        foreach (int chunk in new[] { 4096, 64 * 1024, 512 * 1024 })
        {
            foreach (DiskFile kind in Enum.GetValues<DiskFile>())
            {
                Row($"disk, pwrite + fdatasync {chunk / 1024} KiB, {Name(kind)}", _ => DiskLimit.Measure(folder, chunk, kind, duration).BytesPerSecond);
            }
        }

        Console.WriteLine(table);
        var latencies = new TextTable("round trip", "p50", "p99", "max");
        Latency("ping-pong, 1 KiB there, 144 B back", SocketLimit.RoundTrip(1024, 144, duration));
        Latency("fdatasync 4 KiB, fallocated", DiskLimit.Measure(folder, 4096, DiskFile.Fallocated, duration).Latency);
        Latency("fdatasync 4 KiB, written once", DiskLimit.Measure(folder, 4096, DiskFile.WrittenOnce, duration).Latency);
        Console.WriteLine();
        Console.WriteLine(latencies);
        report.Write(json);
        return 0;

        void Row(string name, Func<int, double> measure)
        {
            LiveProgress.Show(name);
            double[] values = [.. Enumerable.Range(0, rounds).Select(measure)];
            LiveProgress.Clear();
            double median = Figures.Median(values);
            table.Add(name, Figures.Bandwidth(median), Figures.Bandwidth(values.Min()), Figures.Bandwidth(values.Max()), Figures.Rate(median / 1024));
            report.Add(new JsonObject { ["limit"] = name, ["bytes_per_second"] = median, ["min"] = values.Min(), ["max"] = values.Max() });
        }

        void Latency(string name, LatencyHistogram histogram)
        {
            latencies.Add(name, Figures.Time(histogram.Percentile(50)), Figures.Time(histogram.Percentile(99)), Figures.Time(histogram.Max));
            report.Add(new JsonObject { ["limit"] = name, ["p50_ns"] = histogram.Percentile(50), ["p99_ns"] = histogram.Percentile(99) });
        }
    }

    private static int RunSustained(int gigabytes, string folder)
    {
        Console.WriteLine(MachineInfo.Describe());
        List<double> rates = WriteBack.Measure(folder, gigabytes * 1_000_000_000L);
        Console.WriteLine("per second: " + string.Join(' ', rates.Select(Figures.Bandwidth)));
        Console.WriteLine("median of the second half: " + Figures.Bandwidth(Figures.Median(rates.Skip(rates.Count / 2))));
        return 0;
    }

    private static string Name(DiskFile kind) => kind == DiskFile.Fallocated ? "fallocated" : "written once";
}
