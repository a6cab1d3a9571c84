using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Danube.Fast.AdminCli;

/// <summary><c>cluster export | import</c>: what is recorded of namespaces, topics and subscriptions, as a file and back.</summary>
internal static class TransferCommands
{
    private const int KnownVersion = 1;
    private const string Namespaces = "admin/v1/namespaces/";

    public static Command Export(CommandContext context)
    {
        var command = new Command("export", "Writes namespaces, topics and subscriptions with their policies to a file, without messages and positions.");
        Argument<string> file = File();
        command.Arguments.Add(file);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            JsonElement all = await api.GetAsync("admin/v1/cluster/export", cancellationToken);
            string path = parsed.GetValue(file)!;
            string text = JsonSerializer.Serialize(all, Indented.Default.JsonElement);
            if (path == "-")
            {
                context.Output.WriteLine(text);
                return;
            }

            await WriteAsync(path, text, cancellationToken);
            context.Output.WriteLine($"{all.Items("topics").Count()} topics and {all.Items("namespaces").Count()} namespaces written to {path}");
        });
        return command;
    }

    public static Command Import(CommandContext context)
    {
        var command = new Command("import", "Makes what a file of 'cluster export' names and is not there yet. Nothing that is there is changed or removed.");
        Argument<string> file = File();
        command.Arguments.Add(file);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            JsonElement all = Read(parsed.GetValue(file)!);
            var import = new ImportRun(api, context.Output);
            return await import.RunAsync(all, cancellationToken) ? AdminCommandLine.Success : AdminCommandLine.Failure;
        });
        return command;
    }

    private static Argument<string> File() => new("file") { Description = "The file; '-' for the terminal." };

    private static async Task WriteAsync(string path, string text, CancellationToken cancellationToken)
    {
        try
        {
            // A former backup stays until the new one is complete; what is empty, or no file at all, is written in place.
            string target = (System.IO.File.Exists(path) ? System.IO.File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null) ?? path;
            bool isBackup = new FileInfo(target) is { Exists: true, Length: > 0 };
            string written = isBackup ? target + ".new" : path;
            await System.IO.File.WriteAllTextAsync(written, text + "\n", cancellationToken);
            if (isBackup)
            {
                using (FileStream file = System.IO.File.OpenWrite(written))
                {
                    file.Flush(flushToDisk: true);
                }

                System.IO.File.Move(written, target, overwrite: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdminException($"{path} cannot be written: {e.Message}");
        }
    }

    private static JsonElement Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(path == "-" ? Console.In.ReadToEnd() : System.IO.File.ReadAllText(path));
            JsonElement all = document.RootElement.Clone();
            return all.Text("version") == KnownVersion.ToString(CultureInfo.InvariantCulture) && all.Member("topics").ValueKind == JsonValueKind.Array
                ? all
                : throw new AdminException($"{path} is no file of 'cluster export', or of a later version.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new AdminException($"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>Puts one thing after the other back; what fails is named, and the rest goes on.</summary>
    private sealed class ImportRun(AdminApi api, TextWriter output)
    {
        private int _made, _there, _failed;

        public async Task<bool> RunAsync(JsonElement all, CancellationToken cancellationToken)
        {
            foreach (JsonElement ns in all.Items("namespaces"))
            {
                await TryAsync("namespace " + ns.Text("namespace"), () => MakeNamespaceAsync(ns, cancellationToken));
            }

            foreach (JsonElement topic in all.Items("topics"))
            {
                string name = topic.Text("topic");
                await TryAsync("topic " + name, () => MakeTopicAsync(name, topic, cancellationToken));
                int partitions = int.TryParse(topic.Text("partitions"), CultureInfo.InvariantCulture, out int count) ? count : 1;
                foreach (JsonElement subscription in topic.Items("subscriptions"))
                {
                    await TryAsync($"subscription {subscription.Text("name")} of {name}", async () =>
                    {
                        bool isNew = false;
                        for (int i = 0; i < partitions; i++)
                        {
                            isNew |= await MakeSubscriptionAsync(partitions == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-part-{i}"), subscription, cancellationToken);
                        }

                        return isNew;
                    });
                }
            }

            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_made} made, {_there} were there, {_failed} failed"));
            return _failed == 0;
        }

        private async Task TryAsync(string what, Func<Task<bool>> make)
        {
            try
            {
                (_made, _there) = await make() ? (_made + 1, _there) : (_made, _there + 1);
            }
            catch (AdminException e)
            {
                _failed++;
                output.WriteLine($"{what}: {e.Message}");
            }
        }

        // One that has a policy keeps it.
        private async Task<bool> MakeNamespaceAsync(JsonElement ns, CancellationToken cancellationToken)
        {
            string path = Namespaces + Uri.EscapeDataString(ns.Text("namespace"));
            if ((await api.GetAsync(path, cancellationToken)).EnumerateObject().Any(m => m.Name != "namespace"))
            {
                return false;
            }

            await api.PutAsync(path, ns.GetRawText(), cancellationToken);
            return true;
        }

        private async Task<bool> MakeTopicAsync(string name, JsonElement topic, CancellationToken cancellationToken)
        {
            if ((await api.FindAsync($"{TopicCommands.Path}{name}/policy", cancellationToken)).ValueKind == JsonValueKind.Object)
            {
                return false;
            }

            var members = topic.Member("policy") is { ValueKind: JsonValueKind.Object } policy ? policy.EnumerateObject().ToDictionary(m => m.Name, m => m.Value) : [];
            foreach (string member in (string[])["topic", "durability", "partitions"])
            {
                if (topic.Member(member) is { ValueKind: not JsonValueKind.Undefined } value)
                {
                    members[member] = value;
                }
            }

            await api.PostAsync(TopicCommands.Path, JsonSerializer.Serialize(members, Indented.Default.DictionaryStringJsonElement), cancellationToken);
            return true;
        }

        private async Task<bool> MakeSubscriptionAsync(string topic, JsonElement subscription, CancellationToken cancellationToken)
        {
            string path = $"{TopicCommands.Path}{topic}/subscriptions/{Uri.EscapeDataString(subscription.Text("name"))}";
            if ((await api.FindAsync(path, cancellationToken)).ValueKind == JsonValueKind.Object)
            {
                return false;
            }

            var members = subscription.EnumerateObject().Where(m => m.Name != "name").ToDictionary(m => m.Name, m => m.Value);
            await api.PutAsync(path, JsonSerializer.Serialize(members, Indented.Default.DictionaryStringJsonElement), cancellationToken);
            return true;
        }
    }
}
