using Danube.Fast.Core;
using Danube.Fast.LoadManager;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// Chooses brokers for topics through the load manager, and keeps its account of the assignments true. Before any broker has
/// posted a report, as in the first seconds of a cluster, the broker with the fewest topics takes the next one.
/// Runs on: the leader's loop. Shared with: nobody.
/// </summary>
internal sealed class LeaderPlacement(ClusterView view, ClusterLoad load, Func<TopicDefinition, TopicRequirements> requirementsOf)
{
    /// <summary>Begins anew from the assignments, as a new leader does.</summary>
    public void Rebuild()
    {
        load.Placement.Rebuild(view.Assignments.Where(a => a.A.State != AssignmentState.Released && a.A.Owner > 0).Select(a => new TopicAssignment(
            a.Topic, a.A.Owner, AssignmentRules.IsServed(a.A) ? a.E.Revision : 0, PartitionOf(a.Topic), RequirementsOf(a.Topic), default)));
        load.AssignmentsChanged(view.Revision);
    }

    /// <summary>Somebody else leads: this account is no longer kept, and rankings count by the reports.</summary>
    public void Forget() => load.AssignmentsChanged(0);

    /// <summary>Takes note of what became of a topic's assignment.</summary>
    public void Observe(string topic)
    {
        if (!view.TryGetAssignment(topic, out Metadata.MetadataEntry? entry, out Assignment? assignment))
        {
            load.Placement.Released(topic);
        }
        else
        {
            load.AssignmentsChanged(entry.Revision);
            if (assignment.State == AssignmentState.Released)
            {
                load.Placement.Released(topic);
            }
            else if (assignment.State == AssignmentState.Serving)
            {
                load.Placement.Served(topic, entry.Revision);
            }
        }
    }

    /// <summary>The broker for a topic, noted as its own from now on; null when nobody can take it.</summary>
    public int? Choose(TopicDefinition topic, int previous, IReadOnlySet<int> active)
    {
        if (active.Count == 0 || !TopicName.TryParse(topic.Topic, out TopicName? name))
        {
            return null;
        }

        PlacementDecision decision = load.Placement.Place(new PlacementRequest
        {
            Topic = name,
            PreviousBroker = previous > 0 ? previous : null,
            PartitionOf = topic.PartitionOf,
            Requirements = requirementsOf(topic),
        });
        if (decision.Broker is { } broker)
        {
            if (active.Contains((int)broker))
            {
                return (int)broker;
            }

            TakeBack(name.Full);
            return null;
        }

        if (active.Any(b => load.Board.View.Find(b) is { Report: not null, IsReportGone: false }))
        {
            return null;
        }

        IReadOnlyDictionary<long, int> counts = load.Placement.AssignedTopics();
        int fewest = active.OrderBy(b => counts.GetValueOrDefault(b)).ThenBy(b => b).First();
        load.Placement.Assign(name.Full, fewest, topic.PartitionOf);
        return fewest;
    }

    /// <summary>What was chosen for a topic was not written.</summary>
    public void TakeBack(string topic)
    {
        if (!view.TryGetAssignment(topic, out _, out Assignment? there) || there.State == AssignmentState.Released)
        {
            load.Placement.Released(topic);
        }
        else
        {
            load.Placement.Assign(topic, there.Owner, PartitionOf(topic));
        }
    }

    private TopicRequirements RequirementsOf(string topic) => view.TryGetTopic(topic, out TopicDefinition? definition) ? requirementsOf(definition) : TopicRequirements.None;

    private string? PartitionOf(string topic) => view.TryGetTopic(topic, out TopicDefinition? definition) ? definition.PartitionOf : null;
}
