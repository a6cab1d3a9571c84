using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Danube.Fast.Cli;

namespace Danube.Fast.AdminCli;

/// <summary><c>cluster status | check | load-reports | rankings | explain | export | import</c>.</summary>
internal static class ClusterCommands
{
    private const string Path = "admin/v1/cluster/";

    public static Command Create(CommandContext context)
    {
        var cluster = new Command("cluster", "Shows the cluster: brokers, their load, where topics go. A broker alone is a cluster of one.");
        cluster.Subcommands.Add(Status(context));
        cluster.Subcommands.Add(ClusterCheckCommand.Create(context));
        cluster.Subcommands.Add(LoadReports(context));
        cluster.Subcommands.Add(Rankings(context));
        cluster.Subcommands.Add(Explain(context));
        cluster.Subcommands.Add(TransferCommands.Export(context));
        cluster.Subcommands.Add(TransferCommands.Import(context));
        return cluster;
    }

    private static Command Status(CommandContext context)
    {
        var command = new Command("status", "Shows the leader, every broker, the topics by state and the metadata store.");
        context.SetAction(command, async (api, parsed, cancellationToken) =>
            context.Print(parsed, await api.GetAsync(Path + "status", cancellationToken), reply => PrintStatus(context.Output, reply)));
        return command;
    }

    private static Command LoadReports(CommandContext context)
    {
        var command = new Command("load-reports", "Shows the last load report of every broker.");
        var broker = new Option<long?>("--broker") { Description = "Only the report of the broker with this id." };
        var format = new Option<OutputFormat?>("--format") { Description = "table or json; the same as --output." };
        command.Options.Add(broker);
        command.Options.Add(format);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            string query = parsed.GetValue(broker) is { } id ? string.Create(CultureInfo.InvariantCulture, $"?broker={id}") : "";
            JsonElement reply = await api.GetAsync(Path + "load-reports" + query, cancellationToken);
            context.Print(parsed, reply, parsed.GetValue(format), all => TableWriter.WriteRows(
                context.Output,
                ["Broker", "Topics", "CPU%", "Memory%", "Throughput", "Disk GB"],
                all.Items("reports").Select(r => ReportRow(r, r.Member("report")))));
        });
        return command;
    }

    private static string[] ReportRow(JsonElement item, JsonElement report) =>
    [
        item.Text("broker"), report.Text("topics_len"), Usage(report, "CPU"), Usage(report, "Memory"), Figure(report.Text("total_throughput_mbps"), "0.00"),
        Figure(report.Text("total_disk_usage_gb"), "0.00"),
    ];

    private static Command Rankings(CommandContext context)
    {
        var command = new Command("rankings", "Shows the ranking of the brokers, the least loaded first.");
        context.SetAction(command, async (api, parsed, cancellationToken) =>
            context.Print(parsed, await api.GetAsync(Path + "rankings", cancellationToken), reply =>
            {
                context.Output.WriteLine($"algorithm {reply.Text("algorithm")}, imbalance {Figure(reply.Text("imbalance"), "0.0000")}");
                context.Output.WriteLine();
                TableWriter.WriteRows(context.Output, ["Rank", "Broker", "Score", "Topics", "CPU%", "Memory%", "Throughput", "Standing", "Missing"], reply.Items("brokers").Select(b => (string[])
                [
                    b.Text("rank") is { Length: > 0 } rank ? rank : "-", b.Text("broker"), Figure(b.Text("score"), "0.0000"), b.Text("topics"), Figure(b.Text("cpu_percent"), "0.0"),
                    Figure(b.Text("memory_percent"), "0.0"), Figure(b.Text("throughput_mbps"), "0.00"), b.Text("standing"), string.Join(' ', b.Items("missing").Select(m => m.GetString())),
                ]));
            }));
        return command;
    }

    private static Command Explain(CommandContext context)
    {
        var command = new Command("explain", "Shows, step by step, how a topic came to its broker, or where it would go now.");
        var topic = new Option<string>("--topic") { Description = "Name of the topic, /namespace/name; it need not exist.", Required = true };
        topic.Validators.Add(result => TopicArgument.Check(result.GetValueOrDefault<string>(), result.AddError));
        command.Options.Add(topic);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            JsonElement reply = await api.GetAsync(Path + "explain?topic=" + Uri.EscapeDataString(parsed.GetValue(topic)!), cancellationToken);
            context.Print(parsed, reply, _ => PrintDecision(context.Output, reply));
        });
        return command;
    }

    private static void PrintDecision(TextWriter output, JsonElement reply)
    {
        string broker = reply.Text("broker");
        string where = broker.Length > 0 ? "broker " + broker : "no broker";
        output.WriteLine(reply.Text("kind") == "decision"
            ? $"{reply.Text("topic")}: {where} (decided {TimeText.Of(reply.Text("at"))})"
            : $"{reply.Text("topic")}: no decision about it is kept; a topic placed now would go to {where}");
        if (reply.Text("owner") is { Length: > 0 } owner)
        {
            output.WriteLine($"it is with broker {owner} now");
        }

        foreach (JsonElement step in reply.Items("steps"))
        {
            output.WriteLine("  - " + step.GetString());
        }

        JsonElement[] candidates = [.. reply.Items("candidates")];
        if (candidates.Length > 0)
        {
            output.WriteLine();
            TableWriter.WriteRows(output, ["Broker", "Score", "Topics", "Per core"], candidates.Select(c => (string[])
                [c.Text("broker"), Figure(c.Text("score"), "0.0000"), c.Text("topics"), Figure(c.Text("topics_per_core"), "0.##")]));
        }
    }

    private static void PrintStatus(TextWriter output, JsonElement reply)
    {
        string leader = reply.Text("leader"), since = reply.Text("leads_since");
        output.WriteLine(leader.Length == 0 ? "leader    none" : $"leader    broker {leader}{(since.Length > 0 ? $" since {TimeText.Of(since)}" : "")}");
        output.WriteLine($"metadata  {reply.Text("meta_store")}{Metadata(reply.Member("metadata"))}");
        string[] topics = reply.Member("topics") is { ValueKind: JsonValueKind.Object } states
            ? [.. states.EnumerateObject().Where(s => s.Value.GetInt32() > 0).Select(s => $"{s.Value.GetInt32()} {s.Name}")]
            : [];
        output.WriteLine("topics    " + (topics.Length == 0 ? "none" : string.Join(", ", topics)));
        output.WriteLine();
        TableWriter.WriteRows(output, ["Broker", "State", "Mode", "Topics", "Proof age", "Version", "Config", "Native", "HTTP"], reply.Items("brokers").Select(b => (string[])
        [
            b.Text("broker"), b.Text("state"), b.Text("mode"), b.Text("topics"), b.Text("proof_age_seconds") is { Length: > 0 } age ? age + " s" : "-", b.Text("version"),
            b.Text("config_hash") is { Length: > 0 } hash ? hash[..Math.Min(8, hash.Length)] + (b.Text("config_differs") == "true" ? " differs" : "") : "-", b.Text("native"), b.Text("http"),
        ]));
    }

    private static string Metadata(JsonElement metadata)
    {
        string request = metadata.Text("request_ms"), size = metadata.Text("db_bytes"), quota = metadata.Text("quota_bytes"), view = metadata.Text("view_age_seconds");
        return (request.Length > 0 ? $", a read takes {request} ms" : "") + (size.Length > 0 ? $", {size} bytes{(quota.Length > 0 ? " of " + quota : "")}" : "") + (view.Length > 0 ? $", picture {view} s old" : "");
    }

    private static string Usage(JsonElement report, string resource) =>
        report.Items("resources_usage").Where(u => u.Text("resource") == resource).Select(u => Figure(u.Text("usage"), "0.0")).FirstOrDefault() ?? "-";

    private static string Figure(string number, string format) =>
        double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value.ToString(format, CultureInfo.InvariantCulture) : "-";
}
