using System.Text.Json;
using Danube.Fast.Core;
using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

// Requests to owners: the topics of a draining broker, those that are being deleted, those whose record was made anew. An owner that
// cannot give a topic up goes on serving it; the request is taken back and repeated later.
internal sealed partial class LeaderLoop
{
    // A broker that is to be emptied is asked in vain for every topic with stored messages, two writes each: so many requests are open at once.
    private const int AskedAtOnce = 200;

    private readonly ReleaseRequests _requests;

    private async Task ReleaseAsync(LeaderPass pass, CancellationToken cancellationToken)
    {
        var writes = new List<(string, MetadataTransaction)>();
        var toEmpty = new List<(string Topic, Assignment Assignment, MetadataEntry Entry, bool IsInMemory)>();
        var asked = new HashSet<string>(StringComparer.Ordinal);
        int open = 0;
        foreach ((string topic, Assignment assignment, MetadataEntry entry) in pass.Assignments)
        {
            if (!AssignmentRules.IsServed(assignment))
            {
                continue;
            }

            bool isThere = View.TryGetTopic(topic, out TopicDefinition? definition);
            bool isUnwanted = isThere
                ? definition!.State == TopicState.Deleting || (long)definition.TopicId != assignment.TopicId
                : !View.IsUnreadable(ClusterKeys.Topic(topic));
            if (assignment.State == AssignmentState.Releasing)
            {
                open += isUnwanted ? 0 : 1;
                if (_requests.IsInVain(topic, isUnwanted && pass.IsOwnerThere(assignment)))
                {
                    writes.Add((topic, AssignmentWrites.ByLeader(pass.Token, topic, entry, AssignmentRules.CancelRelease(assignment)!)));
                }
            }
            else if (pass.IsOwnerThere(assignment) && (isUnwanted || IsToBeEmptied(assignment.Owner, pass)))
            {
                if (!_requests.MayAsk(topic, isUnwanted))
                {
                    continue;
                }

                if (isUnwanted)
                {
                    Ask(topic, assignment, entry);
                }
                else
                {
                    toEmpty.Add((topic, assignment, entry, definition?.Class == DurabilityClass.Memory));
                }
            }
            else if (pass.IsOwnerThere(assignment))
            {
                _requests.Forget(topic);
            }
        }

        // What is given up for certain comes first, and nothing is asked for again before all else was once.
        foreach ((string topic, Assignment assignment, MetadataEntry entry, _) in toEmpty
            .OrderByDescending(t => t.IsInMemory).ThenBy(t => _requests.TimesOf(t.Topic)).Take(Math.Max(0, AskedAtOnce - open)))
        {
            Ask(topic, assignment, entry);
        }

        await WriteAsync(writes, topic =>
        {
            if (asked.Contains(topic))
            {
                _requests.TakeBack(topic);
            }
        }, cancellationToken);

        void Ask(string topic, Assignment assignment, MetadataEntry entry)
        {
            _requests.OnAsked(topic);
            asked.Add(topic);
            writes.Add((topic, AssignmentWrites.ByLeader(pass.Token, topic, entry, AssignmentRules.RequestRelease(assignment)!)));
        }
    }

    private bool IsToBeEmptied(int broker, LeaderPass pass) => View.ModeOf(broker) != BrokerMode.Active && pass.Active.Count > 0;

    // Only the leader gives topics out, and it gives none to this broker: what a listing does not show will not come.
    private async Task DeclareDrainedAsync(LeaderPass pass, CancellationToken cancellationToken)
    {
        foreach ((int broker, ModeRecord mode, MetadataEntry entry) in View.Modes.ToArray())
        {
            // A record that cannot be read may name the broker.
            if (mode.Mode != BrokerMode.Draining || pass.Assignments.Any(a => IsWith(broker, a.A)) || View.HasUnreadable(ClusterKeys.Assignments))
            {
                continue;
            }

            MetadataListing listing = await _node.Store.ListAsync(ClusterKeys.Assignments, cancellationToken);
            if (!listing.Entries.Any(e => MayBeWith(broker, e)))
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

    private static bool MayBeWith(int broker, MetadataEntry entry)
    {
        try
        {
            return IsWith(broker, Assignment.Decode(entry));
        }
        catch (JsonException)
        {
            return true;
        }
    }

    private static bool IsWith(int broker, Assignment assignment) => assignment.Owner == broker && assignment.State != AssignmentState.Released;
}
