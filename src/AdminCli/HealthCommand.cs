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
            context.Print(parsed, JsonSerializer.SerializeToElement(new JsonObject { ["live"] = live, ["ready"] = ready }), _ =>
            {
                context.Output.WriteLine("livez   " + liveText);
                context.Output.WriteLine("readyz  " + readyText);
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
}
