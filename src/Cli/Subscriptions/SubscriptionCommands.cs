using System.CommandLine;
using Danube.Fast.Cli.Consume;
using Danube.Fast.Cli.Terminal;
using Danube.Fast.Cli.Topics;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Subscriptions;

/// <summary><c>subscriptions list | describe | seek | skip | purge | peek | delete</c>.</summary>
internal static class SubscriptionCommands
{
    public static Command Create(TextWriter output, TextWriter error) =>
        new("subscriptions", "Lists, describes, moves, empties and deletes subscriptions, and looks into them.")
        {
            List(output, error), Describe(output, error), Seek(output, error), Skip(output, error), Purge(output, error), Peek(output, error), Delete(output, error),
        };

    private static Command List(TextWriter output, TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        Argument<string> topic = SharedOptions.TopicArgument();
        Option<string?> watch = Watch.Option();
        var command = new Command("list", "Lists the subscriptions of a topic.") { topic, url, watch };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(parsed.GetValue(url)!, null, cancellationToken);
            return await Watch.RunAsync(parsed, watch, output, error, async (picture, notes, token) =>
            {
                (TopicInfo info, PartitionAnswers<TopicInfo>? partitions) = await PartitionAnswers.DescribeAsync(client, parsed.GetValue(topic)!, token);
                TopicPictures.Subscriptions(picture, partitions is null ? info.Subscriptions : PartitionAnswers.Sums(partitions.Answers.Select(a => a.Answer)), isSum: partitions is not null);
                return partitions?.Tell(notes) ?? CliCommandLine.Success;
            }, cancellationToken);
        });
        return command;
    }

    private static Command Describe(TextWriter output, TextWriter error)
    {
        Option<string?> watch = Watch.Option();
        return One("describe", "Shows a subscription with its policy and its consumers, of a topic with partitions in each of them.", error, [watch], (wish, cancellationToken) => Watch.RunAsync(
            wish.Parsed, watch, output, error,
            async (picture, notes, token) =>
            {
                if (await wish.FindPartitionsAsync(token) is not { } whole)
                {
                    SubscriptionPicture.Write(picture, await wish.Client.DescribeSubscriptionAsync(wish.Topic, wish.Subscription, token));
                    return CliCommandLine.Success;
                }

                PartitionAnswers<SubscriptionDetails> partitions = await PartitionAnswers.AskAsync(
                    whole, (partition, end) => wish.Client.DescribeSubscriptionAsync(partition, wish.Subscription, end), token);
                SubscriptionPicture.Write(picture, wish.Topic, [.. partitions.Answers.Select(a => a.Answer)]);
                return partitions.Tell(notes);
            },
            cancellationToken));
    }

    private static Command Seek(TextWriter output, TextWriter error)
    {
        var to = new Option<string>("--to")
        {
            Description = "The new position: earliest, latest, offset:N or time:T (T in ISO 8601 or Unix microseconds). All before it counts as acknowledged, all behind it comes again. Of a topic with partitions all are moved; an offset is one partition's.",
            Required = true,
        };
        to.Validators.Add(result =>
        {
            if (!ConsumeCommand.TryParseStart(result.GetValueOrDefault<string>(), out _))
            {
                result.AddError($"--to takes earliest, latest, offset:N or time:T, not '{result.GetValueOrDefault<string>()}'.");
            }
        });
        return One("seek", "Moves a subscription, also while consumers are connected.", error, [to], async (wish, cancellationToken) =>
        {
            ConsumeCommand.TryParseStart(wish.Parsed.GetValue(to)!, out string position);
            if (await wish.FindPartitionsAsync(cancellationToken) is { } whole)
            {
                return await SeekAllAsync(wish, whole, position, output, error, cancellationToken);
            }

            SeekReply reply = await wish.Client.SeekAsync(wish.Topic, wish.Subscription, position, cancellationToken);
            output.WriteLine($"{wish.Subscription} goes on at offset {reply.MarkDelete}");
            return CliCommandLine.Success;
        });
    }

    private static async Task<int> SeekAllAsync(Wish wish, TopicInfo whole, string position, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        if (position.StartsWith("offset:", StringComparison.Ordinal))
        {
            await error.WriteLineAsync($"danube-cli: {whole.Topic} has {whole.Partitions} partitions, each with offsets of its own: name one of them, {whole.Topic}-part-0 say. To earliest, latest or a time all are moved.");
            return CliCommandLine.Usage;
        }

        PartitionAnswers<SeekReply> partitions = await PartitionAnswers.AskAsync(
            whole, (partition, token) => wish.Client.SeekAsync(partition, wish.Subscription, position, token), cancellationToken);
        foreach ((string partition, SeekReply reply) in partitions.Answers)
        {
            output.WriteLine($"{wish.Subscription} goes on at offset {reply.MarkDelete} of {partition}");
        }

        return partitions.Tell(error);
    }

    private static Command Skip(TextWriter output, TextWriter error)
    {
        Option<long?> count = SharedOptions.Number("--count", 1, "How many; 1 without it.");
        return One("skip", "Acknowledges the next messages unseen.", error, [count], async (wish, cancellationToken) =>
        {
            SkipReply reply = await wish.Client.SkipAsync(wish.Topic, wish.Subscription, wish.Parsed.GetValue(count) ?? 1, cancellationToken);
            output.WriteLine($"skipped {reply.Skipped}, {wish.Subscription} stands at offset {reply.MarkDelete}");
            return CliCommandLine.Success;
        });
    }

    private static Command Purge(TextWriter output, TextWriter error) =>
        One("purge", "Acknowledges everything that there is.", error, [], async (wish, cancellationToken) =>
        {
            int exitCode = CliCommandLine.Success;
            if (await wish.FindPartitionsAsync(cancellationToken) is { } whole)
            {
                exitCode = (await PartitionAnswers.AskAsync(whole, (partition, token) => wish.Client.PurgeAsync(partition, wish.Subscription, token), cancellationToken)).Tell(error);
            }
            else
            {
                await wish.Client.PurgeAsync(wish.Topic, wish.Subscription, cancellationToken);
            }

            output.WriteLine("purged " + wish.Subscription);
            return exitCode;
        });

    private static Command Peek(TextWriter output, TextWriter error)
    {
        Option<long?> count = SharedOptions.PeekCount();
        return One("peek", "Shows the next messages that are not acknowledged; nothing is delivered.", error, [count], async (wish, cancellationToken) =>
        {
            var request = new PeekRequest { Topic = wish.Topic, Subscription = wish.Subscription, Count = SharedOptions.PeekCount(wish.Parsed, count) };
            MessageLines.Write(output, await wish.Client.PeekAsync(request, cancellationToken));
            return CliCommandLine.Success;
        });
    }

    private static Command Delete(TextWriter output, TextWriter error) =>
        One("delete", "Deletes a subscription with its position; its consumers are closed.", error, [], async (wish, cancellationToken) =>
        {
            int exitCode = CliCommandLine.Success;
            if (await wish.FindPartitionsAsync(cancellationToken) is { } whole)
            {
                // An attempt that failed half-way has removed it from some partitions already.
                PartitionAnswers<bool> partitions = await PartitionAnswers.AskAsync(whole, async (partition, token) =>
                {
                    await wish.Client.UnsubscribeAsync(partition, wish.Subscription, token);
                    return true;
                }, cancellationToken);
                exitCode = partitions.But(ErrorCode.SubscriptionNotFound).Tell(error);
            }
            else
            {
                await wish.Client.UnsubscribeAsync(wish.Topic, wish.Subscription, cancellationToken);
            }

            output.WriteLine("deleted " + wish.Subscription);
            return exitCode;
        });

    /// <summary>A command about one subscription: topic, subscription, <c>--url</c>, and options of its own.</summary>
    private static Command One(string name, string description, TextWriter error, Option[] options, Func<Wish, CancellationToken, Task<int>> action)
    {
        Option<string> url = SharedOptions.Url();
        Argument<string> topic = SharedOptions.TopicArgument();
        var subscription = new Argument<string>("subscription") { Description = "Name of the subscription." };
        var command = new Command(name, description) { topic, subscription, url };
        foreach (Option option in options)
        {
            command.Options.Add(option);
        }

        command.Runs(error, async (parsed, cancellationToken) =>
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(parsed.GetValue(url)!, null, cancellationToken);
            return await action(new Wish(client, parsed, parsed.GetValue(topic)!, parsed.GetValue(subscription)!), cancellationToken);
        });
        return command;
    }

    private sealed record Wish(DanubeClient Client, ParseResult Parsed, string Topic, string Subscription)
    {
        /// <summary>The topic when it has partitions, else null.</summary>
        public async Task<TopicInfo?> FindPartitionsAsync(CancellationToken cancellationToken) =>
            await Client.DescribeTopicAsync(Topic, cancellationToken) is { Partitions: > 1 } whole ? whole : null;
    }
}
