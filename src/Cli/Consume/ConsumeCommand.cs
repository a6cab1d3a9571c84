using System.CommandLine;
using System.Globalization;
using Danube.Fast.Client;

namespace Danube.Fast.Cli.Consume;

/// <summary><c>consume</c>: messages become lines.</summary>
internal static class ConsumeCommand
{
    private static readonly Dictionary<string, SubscriptionType> Types = new()
    {
        ["exclusive"] = SubscriptionType.Exclusive,
        ["shared"] = SubscriptionType.Shared,
        ["failover"] = SubscriptionType.Failover,
        ["key_shared"] = SubscriptionType.KeyShared,
        ["key-shared"] = SubscriptionType.KeyShared,
    };

    public static Command Create(TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        Option<string> topic = SharedOptions.Topic();
        var subscription = new Option<string?>("--subscription", "-s")
        {
            Description = "Name of the subscription, which keeps the position; without it a reader prints the topic, and nothing is stored about it.",
        };
        var type = new Option<string>("--type") { Description = "How the consumers of the subscription share it.", DefaultValueFactory = _ => "exclusive" };
        type.AcceptOnlyFromAmong([.. Types.Keys]);
        var from = new Option<string>("--from")
        {
            Description = "Where a new subscription starts: earliest, latest, offset:N or time:T (T in ISO 8601 or Unix microseconds).",
            DefaultValueFactory = _ => "earliest",
        };
        Option<long?> count = SharedOptions.Number("--count", 1, "Messages to take; without it there is no limit.");
        var untilEnd = new Option<bool>("--until-end") { Description = "Ends with the message that was the last one when this began." };
        var format = new Option<string>("--format")
        {
            Description = $"What is printed per message, with fields {{{string.Join("}, {", MessageTemplate.FieldNames)}}} and the escapes \\n \\t \\r \\0 \\\\.",
            DefaultValueFactory = _ => MessageTemplate.Default,
        };
        Option<LineEncoding> encoding = SharedOptions.Encoding("How payloads are printed.");
        var noFinalNewLine = new Option<bool>("--no-final-newline")
        {
            Description = "Leaves out the newline after the last message: gives a file back whose last line had none.",
        };
        var noAck = new Option<bool>("--no-ack") { Description = "Acknowledges nothing: the subscription stays where it is." };
        var name = new Option<string?>("--name") { Description = "Name of the consumer." };

        Option<long?> priority = SharedOptions.Number("--priority", int.MinValue, "Priority among the consumers of a failover subscription; the highest is active.");
        Option<string?> nackDelay = SharedOptions.Time("--nack-delay", "Gives each message back with this delay instead of acknowledging it", TimeSpan.FromDays(30));
        var policy = new PolicyOptions();

        from.Validators.Add(result =>
        {
            if (!TryParseStart(result.GetValueOrDefault<string>(), out _))
            {
                result.AddError($"--from takes earliest, latest, offset:N or time:T, not '{result.GetValueOrDefault<string>()}'.");
            }
        });
        format.Validators.Add(result =>
        {
            if (!MessageTemplate.TryParse(result.GetValueOrDefault<string>(), out _, out string problem))
            {
                result.AddError(problem);
            }
        });

        var command = new Command("consume", "Prints the messages of a topic, by default payload and newline each, and acknowledges them.")
        {
            url, topic, subscription, type, from, count, untilEnd, format, encoding, noFinalNewLine, noAck, name, priority, nackDelay,
        };
        policy.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(nackDelay) is not null && result.GetResult(noAck) is not null)
            {
                result.AddError("Give --nack-delay or --no-ack, not both.");
            }

            // What a subscription remembers, or shares, a reader has not.
            Option[] ofSubscription = [type, priority, nackDelay, .. policy.All];
            if (result.GetResult(subscription) is null && Array.Find(ofSubscription, o => result.GetResult(o) is { Implicit: false }) is { } option)
            {
                result.AddError($"{option.Name} needs a --subscription.");
            }
            else if (result.GetResult(priority) is { Implicit: false } && result.GetValue(type) != "failover")
            {
                result.AddError("--priority needs --type failover: consumers of other types have none.");
            }
        });
        command.Runs(error, (parsed, cancellationToken) =>
        {
            MessageTemplate.TryParse(parsed.GetValue(format)!, out MessageTemplate template, out _);
            TryParseStart(parsed.GetValue(from)!, out string start);
            return new ConsumeRun(new ConsumeSettings
            {
                Url = parsed.GetValue(url)!,
                Topic = parsed.GetValue(topic)!,
                Subscription = parsed.GetValue(subscription),
                Name = parsed.GetValue(name),
                Type = Types[parsed.GetValue(type)!],
                From = start,
                Count = parsed.GetValue(count),
                UntilEnd = parsed.GetValue(untilEnd),
                Acknowledge = !parsed.GetValue(noAck),
                Template = template,
                Priority = (int)Math.Clamp(parsed.GetValue(priority) ?? 0, int.MinValue, int.MaxValue),
                NackDelay = SharedOptions.Time(parsed, nackDelay),
                Policy = policy.Read(parsed),
                Encoding = parsed.GetValue(encoding),
                NoFinalNewLine = parsed.GetValue(noFinalNewLine),
            }, error).RunAsync(cancellationToken);
        });
        return command;
    }

    /// <summary>The start position as the client takes it: a date becomes Unix microseconds.</summary>
    internal static bool TryParseStart(string text, out string start)
    {
        start = text;
        if (text is "earliest" or "latest")
        {
            return true;
        }

        if (text.StartsWith("offset:", StringComparison.Ordinal))
        {
            return long.TryParse(text["offset:".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out _);
        }

        if (!text.StartsWith("time:", StringComparison.Ordinal))
        {
            return false;
        }

        string time = text["time:".Length..];
        if (long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return true;
        }

        bool isDate = DateTimeOffset.TryParse(
            time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset date);
        start = string.Create(CultureInfo.InvariantCulture, $"time:{(date.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond}");
        return isDate;
    }
}
