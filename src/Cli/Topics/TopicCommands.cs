using System.CommandLine;
using Danube.Fast.Cli.Terminal;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Topics;

/// <summary><c>topics list | describe | create | delete | purge | peek</c>.</summary>
internal static class TopicCommands
{
    public static Command Create(TextWriter output, TextWriter error) =>
        new("topics", "Lists, describes, creates, deletes and empties topics, and looks into them.")
        {
            List(output, error), Describe(output, error), CreateTopic(output, error), Delete(output, error), Purge(output, error), Peek(output, error),
        };

    private static Command List(TextWriter output, TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        var ns = new Option<string?>("--namespace") { Description = "Only topics of this namespace." };
        Option<string?> watch = Watch.Option();
        var command = new Command("list", "Lists the topics of the broker.") { url, ns, watch };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(parsed.GetValue(url)!, null, cancellationToken);
            return await Watch.RunAsync(parsed, watch, output, error, async (picture, _, token) =>
            {
                TopicPictures.List(picture, await client.ListTopicsAsync(parsed.GetValue(ns), token));
                return CliCommandLine.Success;
            }, cancellationToken);
        });
        return command;
    }

    private static Command Describe(TextWriter output, TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        Argument<string> name = SharedOptions.TopicArgument();
        Option<string?> watch = Watch.Option();
        var command = new Command("describe", "Shows one topic with its subscriptions, and its partitions one by one.") { name, url, watch };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(parsed.GetValue(url)!, null, cancellationToken);
            return await Watch.RunAsync(parsed, watch, output, error, async (picture, notes, token) =>
            {
                (TopicInfo topic, PartitionAnswers<TopicInfo>? partitions) = await PartitionAnswers.DescribeAsync(client, parsed.GetValue(name)!, token);
                TopicPictures.One(picture, topic, partitions?.Answers);
                return partitions?.Tell(notes) ?? CliCommandLine.Success;
            }, cancellationToken);
        });
        return command;
    }

    private static Command CreateTopic(TextWriter output, TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        Argument<string> name = SharedOptions.TopicArgument();
        Option<string?> durability = SharedOptions.Durability("Durability; without it the broker's default.");
        Option<long?> partitions = SharedOptions.Number("--partitions", 1, "Number of partitions; without it a plain topic.");
        Option<long?> retentionMs = SharedOptions.Number("--retention-ms", 0, "Messages older than this may be deleted, in milliseconds.");
        Option<long?> retentionBytes = SharedOptions.Number("--retention-bytes", 0, "The oldest messages above this size may be deleted.");
        var command = new Command("create", "Creates a topic.") { name, url, durability, partitions, retentionMs, retentionBytes };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(parsed.GetValue(url)!, null, cancellationToken);
            await client.CreateTopicAsync(
                new TopicSpec
                {
                    Topic = parsed.GetValue(name)!,
                    Durability = parsed.GetValue(durability),
                    Partitions = (int?)parsed.GetValue(partitions),
                    RetentionMs = parsed.GetValue(retentionMs),
                    RetentionBytes = parsed.GetValue(retentionBytes),
                },
                cancellationToken);
            output.WriteLine("created " + parsed.GetValue(name));
            return CliCommandLine.Success;
        });
        return command;
    }

    private static Command Delete(TextWriter output, TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        Argument<string> name = SharedOptions.TopicArgument();
        var command = new Command("delete", "Deletes a topic, its messages and its subscriptions.") { name, url };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(parsed.GetValue(url)!, null, cancellationToken);
            await client.DeleteTopicAsync(parsed.GetValue(name)!, cancellationToken);
            output.WriteLine("deleted " + parsed.GetValue(name));
            return CliCommandLine.Success;
        });
        return command;
    }

    private static Command Purge(TextWriter output, TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        Argument<string> name = SharedOptions.TopicArgument();
        var command = new Command("purge", "Deletes the messages of a topic. Its subscriptions stay and stand at its end.") { name, url };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(parsed.GetValue(url)!, null, cancellationToken);
            int exitCode = CliCommandLine.Success;
            if (await client.DescribeTopicAsync(parsed.GetValue(name)!, cancellationToken) is { Partitions: > 1 } whole)
            {
                exitCode = (await PartitionAnswers.AskAsync(whole, async (partition, token) =>
                {
                    await client.PurgeTopicAsync(partition, token);
                    return true;
                }, cancellationToken)).Tell(error);
            }
            else
            {
                await client.PurgeTopicAsync(parsed.GetValue(name)!, cancellationToken);
            }

            output.WriteLine("purged " + parsed.GetValue(name));
            return exitCode;
        });
        return command;
    }

    private static Command Peek(TextWriter output, TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        Argument<string> name = SharedOptions.TopicArgument();
        Option<long?> offset = SharedOptions.Number("--offset", 0, "First offset to show; without it the first message kept.");
        Option<long?> count = SharedOptions.PeekCount();
        var command = new Command("peek", "Shows messages of a topic; nobody's position changes.") { name, url, offset, count };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(parsed.GetValue(url)!, null, cancellationToken);
            var request = new PeekRequest { Topic = parsed.GetValue(name)!, Offset = parsed.GetValue(offset), Count = SharedOptions.PeekCount(parsed, count) };
            MessageLines.Write(output, await client.PeekAsync(request, cancellationToken));
            return CliCommandLine.Success;
        });
        return command;
    }
}
