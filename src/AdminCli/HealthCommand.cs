using System.CommandLine;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Danube.Fast.AdminCli;

/// <summary><c>health</c>: fails when the broker is not alive or not ready, so that scripts can wait for it.</summary>
internal static class HealthCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command("health", "Asks the broker whether it is alive and ready; exit code 0 only when it is both.");
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            (bool live, string liveText) = await ProbeAsync("livez");
            (bool ready, string readyText) = await ProbeAsync("readyz");
            JsonElement logs = live ? await api.TryGetAsync("admin/v1/health", cancellationToken) : default;
            context.Print(parsed, JsonSerializer.SerializeToElement(ToJson(live, ready, logs)), _ =>
            {
                context.Output.WriteLine("livez   " + liveText);
                bool hasChecks = logs.Items("checks").Any();
                context.Output.WriteLine("readyz  " + (ready || !hasChecks ? readyText : "not ready"));
                PrintRemarks(context.Output, logs);
                PrintLogs(context.Output, logs);
            });
            if (!live || !ready)
            {
                throw new AdminException(live ? "the broker is alive but not ready." : "the broker is not alive.");
            }

            async Task<(bool Good, string Text)> ProbeAsync(string path)
            {
                (HttpStatusCode status, string text) = await api.ProbeAsync(path, cancellationToken);
                return status == HttpStatusCode.OK ? (true, "ok") : (false, $"{(int)status} {text}".TrimEnd());
            }
        });
        return command;
    }

    // A broker of before this address has no more to say than live and ready.
    private static JsonObject ToJson(bool live, bool ready, JsonElement logs)
    {
        var all = new JsonObject { ["live"] = live, ["ready"] = ready };
        foreach (string member in new[] { "checks", "failed", "damaged" })
        {
            if (logs.Member(member).ValueKind == JsonValueKind.Array)
            {
                all[member] = JsonNode.Parse(logs.Member(member).GetRawText());
            }
        }

        return all;
    }

    // A check that is good, too, may say what is about to make it fail.
    private static void PrintRemarks(TextWriter output, JsonElement logs)
    {
        foreach (JsonElement check in logs.Items("checks"))
        {
            if (check.Text("reason") is { Length: > 0 } reason)
            {
                output.WriteLine($"        {check.Text("name")}: {reason}");
            }
        }
    }

    private static void PrintLogs(TextWriter output, JsonElement logs)
    {
        JsonElement[] failed = [.. logs.Items("failed")], damaged = [.. logs.Items("damaged")];
        if (failed.Length > 0)
        {
            output.WriteLine();
            output.WriteLine("Logs that an I/O error has stopped; what is below durable_end can be read:");
            TableWriter.Write(output, failed, "topic", "topic_id", "durable_end", "cause");
        }

        if (damaged.Length > 0)
        {
            output.WriteLine();
            output.WriteLine("Messages that cannot be read any more, from offset to offset (not included):");
            TableWriter.Write(output, damaged, "topic", "topic_id", "from", "to");
        }
    }
}
