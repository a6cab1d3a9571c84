using System.Text.Json;
using Danube.Fast.Core;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

// A topic without partitions is one key. A topic with partitions: its base in state Creating, the partitions in batches, then the base
// without that state; whoever leads finishes what stays in between.
internal sealed partial class ClusterCatalog
{
    /// <summary>Most topics of one transaction.</summary>
    public const int BatchTopics = 60;

    private readonly TopicCreations _creations = new(node.Store, node.Room);

    /// <summary>
    /// Makes a topic, or a base with its partitions; the view shows it when this returns. One of the same settings that nobody has served yet counts
    /// as made by this call: the first attempt may have ended without an answer.
    /// </summary>
    public async Task<Answer<TopicDefinition>> CreateAsync(TopicDefinition definition, CancellationToken cancellationToken)
    {
        try
        {
            TopicDefinition first = definition.IsBase ? definition with { State = TopicState.Creating } : definition;
            string key = ClusterKeys.Topic(definition.Topic);
            CreationResult result = await _creations.AddAsync(first).WaitAsync(cancellationToken);
            if (result.Full is { } full)
            {
                return full;
            }

            if (result.Outcome == MetadataOutcome.Done && !definition.IsBase)
            {
                await node.View.WaitForAsync(result.Revision, cancellationToken);
                return definition with { TopicId = TopicIds.Of(result.Revision, result.Slot), Revision = result.Revision };
            }

            // After an unknown outcome a record with exactly this value is the one that was written, or as good.
            MetadataEntry? there = result.Outcome == MetadataOutcome.Refused ? result.There : await node.Store.GetAsync(key, cancellationToken);
            if (there is null)
            {
                return new Refusal(ErrorCode.Unavailable, $"Whether topic {definition.Topic} was created is not known yet: look, or try again.");
            }

            if (result.Outcome == MetadataOutcome.Refused || !there.Value.Span.SequenceEqual(result.Value))
            {
                return await MeetAsync(definition, TopicRecords.Decode(there), cancellationToken);
            }

            if (definition.IsBase)
            {
                return await FinishAsync(TopicRecords.Decode(there), null, cancellationToken);
            }

            await node.View.WaitForAsync(there.Revision, cancellationToken);
            return TopicRecords.Decode(there);
        }
        catch (IOException e)
        {
            return Away(e);
        }
        catch (JsonException)
        {
            return TopicLookup.Unreadable(definition.Topic);
        }
    }

    /// <summary>Makes the partitions of a base that are missing, then declares it ready. Also what a leader does with one that was left.</summary>
    /// <param name="topic">The base, in state Creating.</param>
    /// <param name="leaderToken">The leader's token, which its writes compare; null for the broker that creates.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="IOException">The store did not answer.</exception>
    public async Task<Answer<TopicDefinition>> FinishAsync(TopicDefinition topic, long? leaderToken, CancellationToken cancellationToken)
    {
        foreach (string[] batch in LogsOf(topic).Chunk(BatchTopics))
        {
            if (await CreatePartitionsAsync(topic, batch, leaderToken, cancellationToken) is { } refusal)
            {
                return refusal;
            }
        }

        string key = ClusterKeys.Topic(topic.Topic);
        TopicDefinition ready = topic with { State = null };
        await node.Store.CommitAsync(
            As(leaderToken).IfRevision(key, topic.Revision).Put(key, TopicRecords.Encode(ready)), cancellationToken);
        MetadataEntry? now = await node.Store.GetAsync(key, cancellationToken);
        if (now is null || TopicRecords.Decode(now) is not { IsReady: true } made || made.TopicId != topic.TopicId)
        {
            return new Refusal(ErrorCode.Unavailable, $"Topic {topic.Topic} is not complete yet; the cluster's leader goes on with it.");
        }

        await node.View.WaitForAsync(now.Revision, cancellationToken);
        return made;
    }

    /// <summary>Waits until every topic with a log is served, as long as a creation waits; see <see cref="Unserved"/>.</summary>
    public Task WaitServedAsync(IEnumerable<string> topics, CancellationToken cancellationToken) =>
        Task.WhenAll(topics.Select(t => node.View.WaitForTopicAsync(t, () => IsServed(t), followLimit, cancellationToken)));

    /// <summary>Which topics with a log are not served now, a sentence; null when all are.</summary>
    public string? Unserved(IReadOnlyCollection<string> topics)
    {
        string[] missing = [.. topics.Where(t => !IsServed(t))];
        return missing.Length == 0 ? null
            : topics.Count == 1 ? $"Topic {missing[0]} is created, but no broker serves it yet{Why(missing[0])}."
            : $"The topic is created, but {missing.Length} of {topics.Count} partitions are not served yet: {string.Join(", ", missing.Take(3))}{(missing.Length > 3 ? ", ..." : "")}{Why(missing[0])}.";
    }

    private string Why(string topic) =>
        node.View.TryGetAssignment(topic, out _, out Assignment? a)
            ? a.State == AssignmentState.Failed ? $" (broker {a.Owner} could not open it: {a.Reason})" : $" (broker {a.Owner} has it, {a.State.ToString().ToLowerInvariant()})"
            : node.View.Leader is null ? " (the cluster has no leader at the moment)" : " (it waits for a broker)";

    private bool IsServed(string topic) =>
        node.View.TryGetTopic(topic, out TopicDefinition? definition) && node.View.TryGetAssignment(topic, out _, out Assignment? assignment)
        && assignment.State == AssignmentState.Serving && (ulong)assignment.TopicId == definition.TopicId;

    private async Task<Refusal?> CreatePartitionsAsync(TopicDefinition topic, string[] names, long? leaderToken, CancellationToken cancellationToken)
    {
        // Those that are there already come from an attempt before.
        string[] missing = [.. names.Where(n => !node.View.TryGetTopic(n, out TopicDefinition? d) || d.PartitionOf != topic.Topic)];
        for (int i = 0; i < Attempts && missing.Length > 0; i++)
        {
            MetadataTransaction transaction = As(leaderToken).IfCreated(ClusterKeys.Topic(topic.Topic), TopicIds.CreatedRevision(topic.TopicId));
            for (int slot = 0; slot < missing.Length; slot++)
            {
                string key = ClusterKeys.Topic(missing[slot]);
                transaction.IfAbsent(key).Put(key, TopicRecords.Encode(
                    topic with { Topic = missing[slot], Partitions = 1, PartitionOf = topic.Topic, State = null, Policy = null, Slot = slot }));
            }

            if ((await node.Store.CommitAsync(transaction, cancellationToken)).IsDone)
            {
                return null;
            }

            var absent = new List<string>();
            foreach (string name in missing)
            {
                MetadataEntry? there = await node.Store.GetAsync(ClusterKeys.Topic(name), cancellationToken);
                if (there is null)
                {
                    absent.Add(name);
                }
                else if (TopicRecords.Decode(there).PartitionOf != topic.Topic)
                {
                    await MarkDeletingAsync(topic, cancellationToken);
                    return new Refusal(ErrorCode.TopicExists, $"Topic {name} exists already and is no partition of {topic.Topic}.");
                }
            }

            missing = [.. absent];
        }

        return missing.Length == 0 ? null : new Refusal(ErrorCode.Unavailable, $"Topic {topic.Topic} is not complete yet; the cluster's leader goes on with it.");
    }

    // What a creation that finds the topic answers.
    private async Task<Answer<TopicDefinition>> MeetAsync(TopicDefinition wanted, TopicDefinition there, CancellationToken cancellationToken)
    {
        await node.View.WaitForAsync(there.Revision, cancellationToken);
        bool isSame = wanted.Durability == there.Durability && wanted.Partitions == there.Partitions && wanted.PartitionOf == there.PartitionOf
            && (wanted.Policy ?? NoPolicy) == (there.Policy ?? NoPolicy);
        if (there.State == TopicState.Deleting)
        {
            return new Refusal(ErrorCode.Unavailable, $"Topic {there.Topic} is being deleted: try again in a moment.");
        }

        TopicDefinition? ready = null;
        bool isReady = await node.View.WaitForTopicAsync(
            there.Topic, () => !node.View.TryGetTopic(there.Topic, out ready) || ready.TopicId != there.TopicId || ready.IsReady, isSame ? followLimit : TimeSpan.Zero, cancellationToken);
        if (!isReady || ready is not { IsReady: true })
        {
            return new Refusal(ErrorCode.Unavailable, $"Topic {there.Topic} is being created or deleted: try again in a moment.");
        }

        return isSame && ready.TopicId == there.TopicId && LogsOf(ready).Any(IsNew) ? ready : new Refusal(ErrorCode.TopicExists, $"Topic {there.Topic} exists already.");
    }

    private static TopicPolicy NoPolicy { get; } = new();

    /// <summary>A topic without partitions itself, else its partitions.</summary>
    public static string[] LogsOf(TopicDefinition topic) => topic.IsBase && TopicName.TryParse(topic.Topic, out TopicName? name)
        ? [.. Enumerable.Range(0, topic.Partitions).Select(name.PartitionTopic)]
        : [topic.Topic];

    // Nobody has opened it yet. A topic that is handed on, or made anew, is in these states too, with a higher epoch: its first assignment has epoch 1,
    // that of a broker which takes it over unopened 2, and a topic that was served had 2 already.
    private bool IsNew(string topic) => !node.View.TryGetAssignment(topic, out _, out Assignment? assignment)
        || !node.View.TryGetTopic(topic, out TopicDefinition? definition) || (ulong)assignment.TopicId != definition.TopicId
        || assignment is { State: AssignmentState.Assigned or AssignmentState.Failed, Epoch: < 3 };

    private static MetadataTransaction As(long? leaderToken) =>
        leaderToken is { } token ? new MetadataTransaction().IfCreated(ClusterKeys.Leader, token) : new MetadataTransaction();
}
