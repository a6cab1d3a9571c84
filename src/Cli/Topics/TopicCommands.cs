using System.CommandLine;
using Danube.Fast.Cli.Terminal;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Topics;

/// <summary><c>topics list | describe | create | delete</c>.</summary>
internal static class TopicCommands
{
    public static Command Create(TextWriter output, TextWriter error) =>
        new("topics", "Lists, describes, creates and deletes topics.")
        {
            List(output, error), Describe(output, error), CreateTopic(output, error), Delete(output, error),
        };

    private static Command List(TextWriter output, TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        var ns = new Option<string?>("--namespace") { Description = "Only topics of this namespace." };
        var command = new Command("list", "Lists the topics of the broker.") { url, ns };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(parsed.GetValue(url)!, null, cancellationToken);
            var table = new TextTable("TOPIC", "DURABILITY", "PARTITIONS", "START", "END", "BYTES", "PRODUCERS", "STATE");
            foreach (TopicInfo topic in await client.ListTopicsAsync(parsed.GetValue(ns), cancellationToken))
            {
                (object start, object end) = Offsets(topic);
                table.Add(topic.Topic, topic.Durability, topic.Partitions, start, end, topic.SizeBytes, topic.Producers, topic.State);
            }

            table.WriteTo(output);
            return CliCommandLine.Success;
        });
        return command;
    }

    private static Command Describe(TextWriter output, TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        Argument<string> name = SharedOptions.TopicArgument();
        var command = new Command("describe", "Shows one topic with its subscriptions.") { name, url };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(parsed.GetValue(url)!, null, cancellationToken);
            TopicInfo topic = await client.DescribeTopicAsync(parsed.GetValue(name)!, cancellationToken);
            output.WriteLine($"topic       {topic.Topic}");
            output.WriteLine($"durability  {topic.Durability}");
            output.WriteLine($"partitions  {topic.Partitions}");
            (object start, object end) = Offsets(topic);
            output.WriteLine(topic.Partitions > 1 ? "offsets     see each partition, TOPIC-part-N" : $"offsets     {start} to {end} (generation {topic.Generation})");
            output.WriteLine($"bytes       {topic.SizeBytes}");
            output.WriteLine($"producers   {topic.Producers}");
            output.WriteLine($"state       {topic.State}");
            output.WriteLine();
            var table = new TextTable("SUBSCRIPTION", "TYPE", "CONSUMERS", "ACKNOWLEDGED", "BACKLOG", "EPOCH");
            foreach (SubscriptionInfo s in topic.Subscriptions)
            {
                table.Add(s.Name, s.Type, s.Consumers, s.MarkDelete, s.Backlog, s.Epoch);
            }

            table.WriteTo(output);
            return CliCommandLine.Success;
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

    /// <summary>First offset and the one behind the last that consumers can see; dashes for a partitioned topic, which has many.</summary>
    private static (object Start, object End) Offsets(TopicInfo topic) =>
        topic.Partitions > 1 ? ("-", "-") : (topic.LogStart, topic.Durability == "fsync" ? topic.DurableEnd : topic.CommittedEnd);
}
