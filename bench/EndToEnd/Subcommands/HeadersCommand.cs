using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>P1: headers of both versions and the header CRC, against their targets.</summary>
internal static class HeadersCommand
{
    private static readonly (string Name, string What, double Limit)[] Rows =
    [
        ("EnvelopeBenchmarks.Encode", "v1 header encode, four ids", 20),
        ("EnvelopeBenchmarks.DecodeToView", "v1 header decode to a view, one id read", 10),
        ("EnvelopeBenchmarks.Decode", "v1 header, all fields and four ids read", 0),
        ("StreamHeaderBenchmarks.Write", "v2 header write, without CRC", 20),
        ("StreamHeaderBenchmarks.Read", "v2 header read, without CRC, 12 fields", 10),
        ("StreamHeaderBenchmarks.HeaderCrc", "header CRC, 124 bytes", 20),
    ];

    public static Command Create()
    {
        Option<bool> check = new("--check") { Description = "only the allocation gate: every micro-benchmark in a short loop" };
        Option<FileInfo?> json = CommonOptions.Json();
        var command = new Command("p1", "header and CRC micro-benchmarks (BenchmarkDotNet) against their targets") { check, json };
        command.SetAction(async (parse, cancellation) => parse.GetValue(check)
            ? await MicroBenchmarks.RunAsync(["--check"], false, cancellation)
            : await RunAsync(parse.GetValue(json), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(FileInfo? json, CancellationToken cancellation)
    {
        Console.WriteLine(MachineInfo.Describe());
        IReadOnlyDictionary<string, MicroFigure> figures = await MicroBenchmarks.MeasureAsync(["*.EnvelopeBenchmarks.*", "*.StreamHeaderBenchmarks.*"], cancellation);
        var table = new TextTable("P1", "mean", "range", "allocated", "target", "");
        var report = new JsonReport("p1");
        foreach ((string name, string what, double limit) in Rows)
        {
            MicroFigure figure = figures[name];
            bool isMet = figure.AllocatedBytes == 0 && (limit == 0 || figure.MeanNs < limit);
            string target = limit == 0 ? "0 B" : $"< {limit:0} ns, 0 B";
            table.Add(what, Nanoseconds(figure.MeanNs), $"{Nanoseconds(figure.MinNs)} .. {Nanoseconds(figure.MaxNs)}", $"{figure.AllocatedBytes} B", target, Figures.Verdict(isMet));
            report.Add(new JsonObject { ["benchmark"] = name, ["mean_ns"] = figure.MeanNs, ["allocated_bytes"] = figure.AllocatedBytes, ["is_met"] = isMet });
            report.Judge(new Judgement("P1", what, $"{Nanoseconds(figure.MeanNs)}, {figure.AllocatedBytes} B", "", target, isMet));
        }

        Console.WriteLine(table);
        report.Write(json);
        return 0;

        static string Nanoseconds(double value) => Figures.Text(value, "0.0") + " ns";
    }
}
