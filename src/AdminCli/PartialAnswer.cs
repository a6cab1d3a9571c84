using System.Text.Json;

namespace Danube.Fast.AdminCli;

/// <summary>An answer about a topic with partitions that some brokers have nothing to say to: what is there is printed, what is missing is named, and the exit code is a failure's.</summary>
internal static class PartialAnswer
{
    /// <summary>Names what an answer leaves out.</summary>
    /// <returns>The exit code of the command.</returns>
    public static int Tell(TextWriter error, JsonElement reply)
    {
        JsonElement[] missing = reply.Member("missing") is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray()] : [];
        foreach (JsonElement partition in missing)
        {
            error.WriteLine($"danube-admin-cli: without {partition.Text("topic")}: {partition.Text("reason")}");
        }

        return missing.Length == 0 ? AdminCommandLine.Success : AdminCommandLine.Failure;
    }
}
