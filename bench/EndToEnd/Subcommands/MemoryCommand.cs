using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>P12: resident memory, and the share of a core, of a broker that has nothing to do: alone, with very many idle topics, with very many connections.</summary>
internal static class MemoryCommand
{
    private const double IdleTarget = 80, TopicsTarget = 300, ConnectionsTarget = 120;

    public static Command Create()
    {
        Option<int> topics = new("--topics") { Description = "number of idle topics", DefaultValueFactory = _ => 10_000 };
        Option<int> connections = new("--connections") { Description = "number of connections", DefaultValueFactory = _ => 1000 };
        Option<double> seconds = CommonOptions.Seconds(10);
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        var command = new Command("p12", "memory and processor time of an idle broker, with idle topics, with connections") { topics, connections, seconds, data, json, environment };
        command.SetAction(async (parse, cancellation) =>
        {
            var setup = new LoadSetup { Topics = parse.GetValue(topics), DataParent = parse.GetValue(data), Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)) };
            return await RunAsync(setup, parse.GetValue(connections), TimeSpan.FromSeconds(parse.GetValue(seconds)), parse.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(LoadSetup setup, int connections, TimeSpan watch, FileInfo? json, CancellationToken cancellation)
    {
        Console.WriteLine(MachineInfo.Describe());
        Console.WriteLine($"After {watch.TotalSeconds:0} s without work; the share of a core is that of these seconds.");
        var table = new TextTable("P12", "resident", "anonymous", "share of a core", "prepared in", "target", "");
        var report = new JsonReport("p12");
        await using (SpreadSession session = await SpreadSession.StartAsync(setup with { Topics = 0 }, cancellation))
        {
            await AddAsync("idle broker", session.Broker, TimeSpan.Zero, IdleTarget);
            long before = Stopwatch.GetTimestamp();
            var open = new List<RawConnection>();
            try
            {
                for (int i = 0; i < connections; i++)
                {
                    open.Add(RawConnection.Open(session.Broker.Native));
                }

                await AddAsync($"{connections:N0} connections", session.Broker, Stopwatch.GetElapsedTime(before), ConnectionsTarget);
            }
            finally
            {
                open.ForEach(c => c.Dispose());
            }
        }

        LiveProgress.Show("creating topics");
        await using (SpreadSession session = await SpreadSession.StartAsync(setup, cancellation))
        {
            await AddAsync($"{setup.Topics:N0} topics, nothing published", session.Broker, session.CreateTime, TopicsTarget);
            long before = Stopwatch.GetTimestamp();
            await session.StartProducersAsync(setup, 1, setup.Topics);
            await session.Producer!.RunAsync();
            while ((await session.Producer.SnapAsync()).Acknowledged < setup.Topics)
            {
                await Task.Delay(100, cancellation);
            }

            TimeSpan spent = Stopwatch.GetElapsedTime(before);
            await session.Producer.DisposeAsync();
            await AddAsync($"{setup.Topics:N0} topics, one message in each", session.Broker, spent, TopicsTarget);
        }

        LiveProgress.Clear();
        Console.WriteLine(table);
        report.Write(json);
        return 0;

        async Task AddAsync(string name, BrokerProcess broker, TimeSpan prepared, double targetMegabytes)
        {
            LiveProgress.Show(name);
            using Process process = Process.GetProcessById(broker.Pid);
            await Task.Delay(1000, cancellation);
            process.Refresh();
            TimeSpan cpu = process.TotalProcessorTime;
            await Task.Delay(watch, cancellation);
            process.Refresh();
            double share = (process.TotalProcessorTime - cpu) / watch;
            double resident = broker.ResidentBytes / 1e6, anonymous = ProcessMemory.PrivateBytes(broker.Pid) / 1e6;
            table.Add(
                name, Figures.Text(resident, "0.0") + " MB", Figures.Text(anonymous, "0.0") + " MB", Figures.Text(share * 100, "0.0") + " %",
                prepared == TimeSpan.Zero ? "-" : Figures.Time(prepared.TotalNanoseconds), $"<= {targetMegabytes} MB", Figures.Verdict(resident <= targetMegabytes));
            report.Add(new JsonObject
            {
                ["state"] = name,
                ["resident_bytes"] = broker.ResidentBytes,
                ["anonymous_bytes"] = ProcessMemory.PrivateBytes(broker.Pid),
                ["core_share"] = share,
                ["is_met"] = resident <= targetMegabytes,
            });
            report.Judge(new Judgement(
                "P12", $"memory, {name}", $"{Figures.Text(resident, "0.0")} MB resident, {Figures.Text(share * 100, "0.0")} % of a core", $"{Figures.Text(anonymous, "0.0")} MB anonymous",
                $"<= {targetMegabytes} MB", resident <= targetMegabytes));
        }
    }
}
