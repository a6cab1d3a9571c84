using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Danube.Fast.AdminCli;

/// <summary><c>topics peek</c> and <c>subscriptions peek</c>: shows messages, changes nothing.</summary>
internal static class PeekCommand
{
    public static Command OfTopic(CommandContext context) => Create(context, "Shows messages of a topic.", subscription: null);

    public static Command OfSubscription(CommandContext context) =>
        Create(context, "Shows the next unacknowledged messages of a subscription without delivering them.", TopicArgument.Part("subscription"));

    private static Command Create(CommandContext context, string description, Argument<string>? subscription)
    {
        var command = new Command("peek", description);
        Argument<string> topic = TopicArgument.Topic();
        var offset = new Option<long?>("--offset") { Description = "First offset to show." };
        var count = new Option<int?>("--count") { Description = "How many messages, at most 100; 1 without it." };
        offset.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<long?>() < 0)
            {
                result.AddError("--offset takes an offset, 0 or more.");
            }
        });
        count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1 or > 100)
            {
                result.AddError("--count takes 1 to 100.");
            }
        });
        command.Arguments.Add(topic);
        if (subscription is not null)
        {
            command.Arguments.Add(subscription);
        }

        command.Options.Add(offset);
        command.Options.Add(count);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            string?[] query =
            [
                subscription is null ? null : "subscription=" + parsed.GetValue(subscription),
                Number("offset", parsed.GetValue(offset)),
                Number("count", parsed.GetValue(count)),
            ];
            string path = $"{TopicCommands.Path}{parsed.GetValue(topic)}/peek?{string.Join('&', query.OfType<string>())}";
            context.Print(parsed, await api.GetAsync(path, cancellationToken), reply => Write(context.Output, reply));
        });
        return command;
    }

    private static string? Number(string name, long? value) => value is { } number ? string.Create(CultureInfo.InvariantCulture, $"{name}={number}") : null;

    // The payload comes last: it may be of any length.
    private static void Write(TextWriter output, JsonElement reply)
    {
        foreach (JsonElement message in reply.Items("messages"))
        {
            string key = message.Text("key") + message.Text("key_base64");
            string payload = message.Text("payload") + message.Text("payload_base64");
            output.WriteLine($"{message.Text("offset")}\t{message.Text("redelivery_count")}\t{key}\t{payload}");
        }
    }
}
