using System.Text.Json;
using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// What operators ask of the cluster; any broker does it, by writes that compare what was read. The leader acts on what it finds.
/// Runs on: admin requests. Shared with: all of them.
/// </summary>
internal sealed class ClusterAdmin(ClusterNode node)
{
    private const int Attempts = 8;

    /// <summary>The broker gets nothing new and gives up what it can: those topics that others can serve without its disk.</summary>
    public Task<Refusal?> UnloadAsync(int broker, CancellationToken cancellationToken) =>
        AskedAsync(() => SetModeAsync(broker, BrokerMode.Draining, cancellationToken));

    /// <summary>The broker takes topics again.</summary>
    public Task<Refusal?> ActivateAsync(int broker, CancellationToken cancellationToken) =>
        AskedAsync(() => SetModeAsync(broker, BrokerMode.Active, cancellationToken));

    /// <summary>Topics of a broker, with what keeps those that stay when it is drained.</summary>
    public IEnumerable<(string Topic, Assignment Assignment)> TopicsOf(int broker) =>
        node.View.Assignments.Where(a => a.A.Owner == broker && a.A.State != AssignmentState.Released).Select(a => (a.Topic, a.A)).OrderBy(a => a.Topic, StringComparer.Ordinal);

    /// <summary>Forgets a broker that is gone for good and owns nothing any more.</summary>
    public Task<Refusal?> RemoveBrokerAsync(int broker, CancellationToken cancellationToken) => AskedAsync(() => RemoveAsync(broker, cancellationToken));

    private async Task<Refusal?> RemoveAsync(int broker, CancellationToken cancellationToken)
    {
        if (node.View.Members.TryGetValue(broker, out (MemberRecord Record, long Session) member))
        {
            return new Refusal(ErrorCode.BadRequest, $"Broker {broker} is there, at {member.Record.Address}: unload it, stop it, then remove it.");
        }

        string[] topics = [.. TopicsOf(broker).Select(t => t.Topic)];
        if (topics.Length > 0)
        {
            return new Refusal(ErrorCode.BadRequest, $"Broker {broker} still owns {topics.Length} topics ({string.Join(", ", topics.Take(3))}{(topics.Length > 3 ? ", ..." : "")}): start it again, or give their data up with 'danube admin topics recreate TOPIC --lose-data'.");
        }

        if (node.View.ModeEntryOf(broker) is not { } entry)
        {
            return Unknown(broker);
        }

        TransactionResult result = await node.Store.CommitAsync(
            new MetadataTransaction().IfAbsent(ClusterKeys.Member(broker)).IfRevision(entry.Key, entry.Revision).Delete(entry.Key), cancellationToken);
        return await DoneAsync(result, cancellationToken);
    }

    /// <summary>
    /// Makes a topic anew that waits for a broker which will not come back, or that could not be opened: same name and policy, no messages and
    /// no subscriptions. The old bytes are never served again.
    /// </summary>
    public Task<Refusal?> RecreateTopicAsync(string topic, CancellationToken cancellationToken) => AskedAsync(() => RecreateAsync(topic, cancellationToken));

    private async Task<Refusal?> RecreateAsync(string topic, CancellationToken cancellationToken)
    {
        string key = ClusterKeys.Topic(topic);
        if (await node.Store.GetAsync(key, cancellationToken) is not { } entry || TopicRecords.Decode(entry) is not { IsReady: true } definition)
        {
            return new Refusal(ErrorCode.TopicNotFound, $"There is no topic {TopicRegistry.Shorten(topic)}.");
        }

        if (definition.IsBase)
        {
            return new Refusal(ErrorCode.BadRequest, $"{topic} has partitions: name those that wait, {topic}-part-0 and so on.");
        }

        MetadataEntry? owned = await node.Store.GetAsync(ClusterKeys.Assignment(topic), cancellationToken);
        Assignment? assignment = owned is null ? null : Assignment.Decode(owned);
        bool hasFailed = assignment is { State: AssignmentState.Failed };
        if (assignment is not null && !hasFailed && node.View.Members.ContainsKey(assignment.Owner))
        {
            return new Refusal(ErrorCode.BadRequest, $"Topic {topic} is with broker {assignment.Owner}, which is there: to get rid of its messages purge it, or delete it.");
        }

        // One transaction cannot delete a key and make it again; what it will be is kept in between, and the leader finishes it if need be.
        string between = ClusterKeys.Remakes + topic[1..];
        MetadataTransaction begin = new MetadataTransaction()
            .IfRevision(key, entry.Revision).IfRevision(ClusterKeys.Assignment(topic), owned?.Revision ?? 0).IfAbsent(between).Delete(key).Put(between, TopicRecords.Encode(definition));
        if (assignment is not null && !hasFailed)
        {
            begin.IfAbsent(ClusterKeys.Member(assignment.Owner)); // It may come back at any moment.
        }

        TransactionResult result = await node.Store.CommitAsync(begin, cancellationToken);
        if (await DoneAsync(result, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        // The leader may be quicker.
        if (await node.Store.GetAsync(between, cancellationToken) is { } there)
        {
            await node.Store.CommitAsync(Remake(new MetadataTransaction(), there), cancellationToken);
        }

        MetadataEntry? made = await node.Store.GetAsync(key, cancellationToken);
        await node.View.WaitForAsync(made?.Revision ?? 0, cancellationToken);
        return made is null ? Away("the topic is made anew as soon as it answers") : null;
    }

    /// <summary>Makes the topic that a record between deletion and creation describes.</summary>
    public static MetadataTransaction Remake(MetadataTransaction begin, MetadataEntry between)
    {
        string key = ClusterKeys.Topic("/" + between.Key[ClusterKeys.Remakes.Length..]);
        return begin.IfRevision(between.Key, between.Revision).IfAbsent(key).Put(key, between.Value).Delete(between.Key);
    }

    private async Task<Refusal?> SetModeAsync(int broker, BrokerMode mode, CancellationToken cancellationToken)
    {
        string key = ClusterKeys.Mode(broker);
        for (int i = 0; i < Attempts; i++)
        {
            MetadataEntry? entry = await node.Store.GetAsync(key, cancellationToken);
            if (entry is null && !node.View.Members.ContainsKey(broker) && !TopicsOf(broker).Any())
            {
                return Unknown(broker);
            }

            BrokerMode now = entry is null ? BrokerMode.Active : ModeRecord.Decode(entry).Mode;
            if (now == mode || (mode == BrokerMode.Draining && now == BrokerMode.Drained))
            {
                await node.View.WaitForAsync(entry?.Revision ?? 0, cancellationToken);
                return null;
            }

            // Whatever the outcome, what is there is read next.
            await node.Store.CommitAsync(
                new MetadataTransaction().IfRevision(key, entry?.Revision ?? 0).Put(key, new ModeRecord { Mode = mode }.Encode()), cancellationToken);
        }

        return Away("others change the mode all the time");
    }

    private static async Task<Refusal?> AskedAsync(Func<Task<Refusal?>> call)
    {
        try
        {
            return await call();
        }
        catch (IOException e)
        {
            return Away(e.Message);
        }
        catch (JsonException e)
        {
            return new Refusal(ErrorCode.BadRequest, $"A record that has to be known for this cannot be read by this broker, ask one of a later version: {e.Message}");
        }
    }

    private async Task<Refusal?> DoneAsync(TransactionResult result, CancellationToken cancellationToken)
    {
        if (!result.IsDone)
        {
            return result.Outcome == MetadataOutcome.Unknown
                ? Away("whether it was done is not known, look first")
                : new Refusal(ErrorCode.Unavailable, "Something changed meanwhile: look, and try again.");
        }

        await node.View.WaitForAsync(result.Revision, cancellationToken);
        return null;
    }

    private static Refusal Away(string why) => new(ErrorCode.Unavailable, $"The metadata store cannot be asked now, try again: {why}");

    private static Refusal Unknown(int broker) => new(ErrorCode.BadRequest, $"The cluster knows no broker {broker}.");
}
