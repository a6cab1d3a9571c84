using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Wal;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// <c>wal.append: pwrite|mapped</c> compared in the log itself, without sockets: fresh files, as a growing log meets them, and files whose pages are resident. The modes
/// alternate within each round.
/// </summary>
internal static class AppendCommand
{
    private static readonly int[] CommitSizes = [4 * 1024, 64 * 1024, 512 * 1024, 2 * 1024 * 1024, 0];

    public static Command Create()
    {
        Option<int> rounds = CommonOptions.Rounds(3);
        Option<double> seconds = CommonOptions.Seconds(1);
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        var command = new Command("append", "pwrite against mapped appends of the log, on fresh and on resident files") { rounds, seconds, data, json };
        command.SetAction((parse, cancellation) => Task.Run(
            () => Run(parse.GetValue(rounds), TimeSpan.FromSeconds(parse.GetValue(seconds)), parse.GetValue(data), parse.GetValue(json), cancellation), cancellation));
        return command;
    }

    private static int Run(int rounds, TimeSpan duration, string? parent, FileInfo? json, CancellationToken cancellation)
    {
        Console.WriteLine(MachineInfo.Describe());
        Console.WriteLine("One log, one appending thread, one commit outstanding; frames of at most 64 KiB. Written: bytes made dirty per appended byte, by the kernel's count.");
        var table = new TextTable(
            "append", "file", "pwrite", "mapped", "mapped / pwrite", "spread", "p50 pwrite", "p50 mapped", "p99 pwrite", "p99 mapped", "written pwrite", "written mapped");
        var report = new JsonReport("append");
        using var folder = RunFolder.Create(parent);
        foreach (int commit in CommitSizes)
        {
            foreach (bool isResident in new[] { false, true })
            {
                string name = commit == 0 ? "os, 64 KiB appends" : $"fsync, {commit / 1024:N0} KiB commits", file = isResident ? "resident" : "fresh";
                var pwrite = new List<AppendFigures>();
                var mapped = new List<AppendFigures>();
                for (int i = 0; i < rounds; i++)
                {
                    LiveProgress.Show($"{name}, {file}: round {i + 1} of {rounds}");
                    pwrite.Add(LogAppend.Measure(folder.Path, new AppendCase(AppendMode.Pwrite, isResident, commit), duration, cancellation));
                    mapped.Add(LogAppend.Measure(folder.Path, new AppendCase(AppendMode.Mapped, isResident, commit), duration, cancellation));
                }

                Add(name, file, pwrite, mapped);
            }
        }

        LiveProgress.Clear();
        Console.WriteLine(table);
        report.Write(json);
        return 0;

        void Add(string name, string file, List<AppendFigures> pwrite, List<AppendFigures> mapped)
        {
            double[] ratios = [.. mapped.Zip(pwrite, (m, p) => m.BytesPerSecond / p.BytesPerSecond)];
            table.Add(
                name, file, Figures.Bandwidth(Rate(pwrite)), Figures.Bandwidth(Rate(mapped)), Figures.Ratio(Figures.Median(ratios)), $"{Figures.Ratio(ratios.Min())} .. {Figures.Ratio(ratios.Max())}",
                Figures.Time(Percentile(pwrite, 50)), Figures.Time(Percentile(mapped, 50)), Figures.Time(Percentile(pwrite, 99)), Figures.Time(Percentile(mapped, 99)),
                Figures.Ratio(Factor(pwrite)), Figures.Ratio(Factor(mapped)));
            foreach ((string mode, List<AppendFigures> runs) in new[] { ("pwrite", pwrite), ("mapped", mapped) })
            {
                report.Add(new JsonObject
                {
                    ["row"] = name,
                    ["file"] = file,
                    ["mode"] = mode,
                    ["bytes_per_second"] = Rate(runs),
                    ["p50_ns"] = Percentile(runs, 50),
                    ["p99_ns"] = Percentile(runs, 99),
                    ["write_factor"] = Factor(runs),
                });
            }
        }
    }

    private static double Rate(List<AppendFigures> runs) => Figures.Median(runs.Select(r => r.BytesPerSecond));

    private static double Percentile(List<AppendFigures> runs, double percent) => Figures.Median(runs.Select(r => (double)r.Commit.Percentile(percent)));

    private static double Factor(List<AppendFigures> runs) => Figures.Median(runs.Select(r => r.WriteFactor));
}
