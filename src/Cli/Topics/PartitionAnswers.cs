using System.Globalization;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Topics;

/// <summary>
/// What came of a request for each partition of a topic. Each goes to the broker that serves the partition: one broker alone knows only the figures of its own.
/// </summary>
/// <param name="Answers">Those that there are, in order of partition.</param>
/// <param name="Missing">The partitions without one.</param>
internal sealed record PartitionAnswers<T>(IReadOnlyList<(string Partition, T Answer)> Answers, IReadOnlyList<(string Partition, DanubeException Error)> Missing)
{
    /// <summary>The same, where a refusal with this code means that there was nothing to do.</summary>
    public PartitionAnswers<T> But(ErrorCode code) => this with { Missing = [.. Missing.Where(m => m.Error.Code != code)] };

    /// <summary>Names the partitions that nobody has answered for: without that the rest would be taken for the whole.</summary>
    /// <returns>The exit code of the command.</returns>
    public int Tell(TextWriter error)
    {
        foreach ((string partition, DanubeException cause) in Missing)
        {
            error.WriteLine($"danube-cli: without {partition}: {cause.Message}");
        }

        return Missing.Count == 0 ? CliCommandLine.Success : CliCommandLine.Failure;
    }
}

/// <summary>Asks for all partitions of a topic.</summary>
internal static class PartitionAnswers
{
    private const int AtOnce = 16;

    /// <summary>A topic with its partitions, if it has any, each as its own broker describes it; the answers are null for a topic without partitions.</summary>
    public static async Task<(TopicInfo Topic, PartitionAnswers<TopicInfo>? Partitions)> DescribeAsync(DanubeClient client, string topic, CancellationToken cancellationToken)
    {
        TopicInfo info = await client.DescribeTopicAsync(topic, cancellationToken);
        return (info, info.Partitions > 1 ? await AskAsync(info, client.DescribeTopicAsync, cancellationToken) : null);
    }

    /// <summary>One request for each partition of a topic.</summary>
    /// <exception cref="DanubeException">Not one of them was answered.</exception>
    public static async Task<PartitionAnswers<T>> AskAsync<T>(TopicInfo topic, Func<string, CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        string[] partitions = [.. Enumerable.Range(0, topic.Partitions).Select(i => string.Create(CultureInfo.InvariantCulture, $"{topic.Topic}-part-{i}"))];
        var answers = new (T? Answer, DanubeException? Error)[partitions.Length];
        await Parallel.ForAsync(0, partitions.Length, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (i, token) =>
        {
            try
            {
                answers[i] = (await ask(partitions[i], token), null);
            }
            catch (DanubeException e)
            {
                answers[i] = (default, e);
            }
        });
        var all = new PartitionAnswers<T>(
            [.. partitions.Zip(answers).Where(a => a.Second.Error is null).Select(a => (a.First, a.Second.Answer!))],
            [.. partitions.Zip(answers).Where(a => a.Second.Error is not null).Select(a => (a.First, a.Second.Error!))]);

        // That nobody has what was asked for counts only when all say so.
        return all.Answers.Count > 0 ? all
            : throw (all.Missing.Select(m => m.Error).FirstOrDefault(e => e.Code != ErrorCode.SubscriptionNotFound) ?? all.Missing[0].Error);
    }

    /// <summary>The subscriptions of all partitions with their sums; offsets and epochs are each partition's own.</summary>
    public static IEnumerable<SubscriptionInfo> Sums(IEnumerable<TopicInfo> partitions) => partitions
        .SelectMany(p => p.Subscriptions)
        .GroupBy(s => s.Name, StringComparer.Ordinal)
        .Select(same => same.First() with
        {
            Consumers = same.Sum(s => s.Consumers),
            Backlog = same.Sum(s => s.Backlog),
            Delayed = same.Sum(s => s.Delayed),
            Blocked = same.FirstOrDefault(s => s.Blocked is not null)?.Blocked,
        });
}
