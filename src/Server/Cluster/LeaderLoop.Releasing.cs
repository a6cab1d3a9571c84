using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

// Requests to owners: the topics of a draining broker, those that are being deleted, those whose record was made anew. An owner that
// cannot give a topic up goes on serving it; the request is taken back and repeated later.
internal sealed partial class LeaderLoop
{
    private static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, long> _askedAt = new(StringComparer.Ordinal);

    private void ForgetRequests() => _askedAt.Clear();

    private async Task ReleaseAsync(LeaderPass pass, CancellationToken cancellationToken)
    {
        var writes = new List<(string, MetadataTransaction)>();
        foreach ((string topic, Assignment assignment, MetadataEntry entry) in pass.Assignments)
        {
            if (AssignmentRules.IsServed(assignment) && NextRequest(topic, assignment, pass) is { } next)
            {
                writes.Add((topic, AssignmentWrites.ByLeader(pass.Token, topic, entry, next)));
            }
        }

        await WriteAsync(writes, null, cancellationToken);
    }

    private Assignment? NextRequest(string topic, Assignment assignment, LeaderPass pass)
    {
        bool isTopicThere = View.TryGetTopic(topic, out TopicDefinition? definition);
        bool isUnwanted = isTopicThere
            ? definition!.State == TopicState.Deleting || (long)definition.TopicId != assignment.TopicId
            : !View.IsUnreadable(ClusterKeys.Topic(topic));
        if (assignment.State == AssignmentState.Releasing)
        {
            // A new leader counts from its first look.
            _askedAt.TryAdd(topic, _node.Clock.GetTimestamp());
            bool isOver = _node.Clock.GetElapsedTime(_askedAt[topic]) >= RequestLimit;
            return isOver && !(isUnwanted && pass.IsOwnerThere(assignment)) ? AssignmentRules.CancelRelease(assignment) : null;
        }

        if (!pass.IsOwnerThere(assignment))
        {
            return null;
        }

        bool isDrained = View.ModeOf(assignment.Owner) != BrokerMode.Active && pass.Active.Count > 0;
        if (!isUnwanted && !isDrained)
        {
            _askedAt.Remove(topic);
            return null;
        }

        if (_askedAt.TryGetValue(topic, out long asked) && _node.Clock.GetElapsedTime(asked) < AskAgainAfter)
        {
            return null;
        }

        _askedAt[topic] = _node.Clock.GetTimestamp();
        return AssignmentRules.RequestRelease(assignment);
    }

    // Only the leader gives topics out, and it gives none to this broker: what a listing does not show will not come.
    private async Task DeclareDrainedAsync(LeaderPass pass, CancellationToken cancellationToken)
    {
        foreach ((int broker, ModeRecord mode, MetadataEntry entry) in View.Modes.ToArray())
        {
            if (mode.Mode != BrokerMode.Draining || pass.Assignments.Any(a => IsWith(broker, a.A)))
            {
                continue;
            }

            MetadataListing listing = await _node.Store.ListAsync(ClusterKeys.Assignments, cancellationToken);
            if (!listing.Entries.Any(e => IsWith(broker, Assignment.Decode(e))))
            {
                TransactionResult result = await _node.Store.CommitAsync(
                    As(pass.Token).IfRevision(entry.Key, entry.Revision).Put(entry.Key, new ModeRecord { Mode = BrokerMode.Drained }.Encode()), cancellationToken);
                await View.WaitForAsync(result.Revision, cancellationToken);
                if (result.IsDone)
                {
                    Log.Drained(_log, broker);
                }
            }
        }
    }

    private static bool IsWith(int broker, Assignment assignment) => assignment.Owner == broker && assignment.State != AssignmentState.Released;
}
