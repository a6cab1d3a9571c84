using System.CommandLine;
using Danube.Fast.Bench.Peers.Servers;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Subcommands;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Peers;

/// <summary><c>danube bench peers</c>: the same loads against this project's broker and against NATS JetStream, Redis streams and RabbitMQ streams.</summary>
internal static class PeersCommand
{
    private const int LeastSize = 16;

    public static Command Create()
    {
        Option<string> peers = List("--peers", "peers to measure, separated by commas", PeerServers.Names);
        Option<string> scenarios = List("--scenarios", "scenarios, separated by commas; half and common need consume", [.. PeerScenario.All(0, 0).Select(s => s.Name)]);
        Option<long> size = new("--size") { Description = "payload bytes of the larger message", DefaultValueFactory = _ => 1024, CustomParser = CommonOptions.ParseBytes };
        Option<long> small = new("--small-size") { Description = "payload bytes of the smaller message", DefaultValueFactory = _ => 128, CustomParser = CommonOptions.ParseBytes };
        Option<int> window = new("--window") { Description = "messages that may be unacknowledged, the same for all", DefaultValueFactory = _ => 8192 };
        Option<int> rounds = CommonOptions.Rounds(3);
        Option<double> seconds = CommonOptions.Seconds(2), warmUp = CommonOptions.WarmUp(1.5);
        Option<bool> quick = new("--quick") { Description = "one short round of everything" };
        Option<string?> cache = new("--cache") { Description = "folder for the unpacked packages (default: artifacts/peers of this project)" };
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<FileInfo?> markdown = new("--markdown") { Description = "also write all scenarios as one table to this file, as docs/performance.md has it" };
        var command = new Command("peers", "the same loads against NATS JetStream, Redis streams and RabbitMQ streams, unpacked from Debian's packages")
        {
            peers, scenarios, size, small, window, rounds, seconds, warmUp, quick, cache, data, json, markdown,
        };
        command.SetAction(async (parse, cancellation) =>
        {
            bool isQuick = parse.GetValue(quick);
            var plan = new PeerPlan
            {
                Rounds = isQuick ? 1 : parse.GetValue(rounds),
                Seconds = isQuick ? 1.5 : parse.GetValue(seconds),
                WarmUpSeconds = isQuick ? 1 : parse.GetValue(warmUp),
                Window = Math.Max(64, parse.GetValue(window)),
                DataParent = parse.GetValue(data),
            };
            string[] names = parse.GetValue(scenarios)!.Split(',');
            PeerScenario[] chosen = [.. PeerScenario.All(Size(parse.GetValue(size)), Size(parse.GetValue(small))).Where(s => names.Contains(s.Name))];
            string folder = parse.GetValue(cache) ?? Path.Combine(BrokerLocator.RepositoryRoot(), "artifacts", "peers");
            return await RunAsync(parse.GetValue(peers)!.Split(','), chosen, plan, folder, new Files(parse.GetValue(json), parse.GetValue(markdown)), cancellation);
        });
        return command;
    }

    private static int Size(long bytes) => Math.Max(LeastSize, (int)bytes);

    private static Option<string> List(string name, string description, string[] all)
    {
        var option = new Option<string>(name) { Description = $"{description}: {string.Join(", ", all)}", DefaultValueFactory = _ => string.Join(',', all) };
        option.Validators.Add(result =>
        {
            string[] unknown = [.. result.GetValueOrDefault<string>().Split(',').Except(all)];
            if (unknown.Length > 0)
            {
                result.AddError($"{name} knows {string.Join(", ", all)}, not '{string.Join("', '", unknown)}'.");
            }
        });
        return option;
    }

    private static async Task<int> RunAsync(string[] peers, PeerScenario[] scenarios, PeerPlan plan, string cache, Files files, CancellationToken cancellation)
    {
        if (scenarios.Any(s => s.Shape == LoadShape.Paced) && scenarios.All(s => s.Name != PeersRun.MaximumFrom))
        {
            Console.Error.WriteLine($"The open-loop scenarios take their rate from '{PeersRun.MaximumFrom}': name it as well.");
            return 2;
        }

        if (!OperatingSystem.IsLinux())
        {
            Console.Error.WriteLine("The peers come from Debian's packages and run on Linux only.");
            return 1;
        }

        Console.WriteLine(MachineInfo.Describe());
        try
        {
            await using PeerServers servers = await PeerServers.StartAsync(peers, cache, plan.DataParent);
            LiveProgress.Clear();
            Console.WriteLine(
                $"{plan.Rounds} interleaved round(s) of {plan.Seconds} s after {plan.WarmUpSeconds} s of warm-up (latency: three times as long), each with a new topic or stream and new client processes; {plan.Window:N0} messages of window, "
                + "writes of at most 64 KiB; servers that are not measured are stopped. An acknowledgement means: os = written to the page cache (Redis everysec: and synced within a second), fsync = synced.");
            return await RunAsync(servers, scenarios, plan, files, cancellation);
        }
        catch (PeerUnavailableException e)
        {
            LiveProgress.Clear();
            Console.Error.WriteLine($"{e.Message}\nLeave it out with --peers.");
            return 1;
        }
    }

    private static async Task<int> RunAsync(PeerServers servers, PeerScenario[] scenarios, PeerPlan plan, Files files, CancellationToken cancellation)
    {
        var run = new PeersRun(servers.Contenders, plan);
        var report = new JsonReport("peers");
        bool hasFailed = false;
        var done = new List<(PeerScenario, IReadOnlyList<PeerRow>)>();
        foreach (PeerScenario scenario in scenarios)
        {
            IReadOnlyList<PeerRow> rows = await run.MeasureAsync(scenario, cancellation);
            Console.WriteLine();
            Console.WriteLine(PeerTable.Text(scenario, rows));
            done.Add((scenario, rows));
            hasFailed |= rows.Any(r => r.Failure is not null);
            foreach (System.Text.Json.Nodes.JsonObject row in PeerTable.Json(scenario, rows))
            {
                report.Add(row);
            }

            foreach (RedisServer redis in servers.Redis.Where(_ => scenario.Shape == LoadShape.Publish))
            {
                Console.WriteLine(redis.CrossCheck(scenario.SizeBytes, plan.Seconds));
            }
        }

        foreach (Judgement judgement in PeerTargets.Of(done))
        {
            report.Judge(judgement);
        }

        TextTable targets = Judgement.Table(report.Judgements.Select(j => j with { Command = "bench peers" }));
        Console.WriteLine(report.Judgements.Count > 0 ? $"\n{targets}" : "");
        report.Write(files.Json);
        if (files.Markdown is not null)
        {
            string about = $"{MachineInfo.Describe(plan.DataParent)}; {plan.Rounds} round(s) of {Figures.Text(plan.Seconds, "0.#")} s.";
            await File.WriteAllTextAsync(files.Markdown.FullName, $"{about}\n\n{targets}\n\n{PeerTable.Markdown(done)}\n", cancellation);
        }

        return hasFailed ? 1 : 0;
    }

    private sealed record Files(FileInfo? Json, FileInfo? Markdown);
}
