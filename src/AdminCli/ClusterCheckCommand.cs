using System.CommandLine;
using System.Text.Json;

namespace Danube.Fast.AdminCli;

/// <summary><c>cluster check</c>: exit code 0 all is well, 1 degraded, 2 broken; one sentence for each finding.</summary>
internal static class ClusterCheckCommand
{
    private const int Degraded = 1, Broken = 2;

    public static Command Create(CommandContext context)
    {
        var command = new Command("check", "Says what is not as it should be. Exit code 0: nothing; 1: degraded; 2: broken, or no broker answers.");
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            JsonElement reply = await api.GetAsync("admin/v1/cluster/check", cancellationToken);
            context.Print(parsed, reply, _ =>
            {
                context.Output.WriteLine(reply.Text("status"));
                foreach (JsonElement finding in reply.Items("findings"))
                {
                    context.Output.WriteLine($"{finding.Text("severity")}: {finding.Text("sentence")}");
                }
            });
            return reply.Text("status") switch
            {
                "ok" => AdminCommandLine.Success,
                "degraded" => Degraded,
                _ => Broken,
            };
        }, failure: Broken);
        return command;
    }
}
