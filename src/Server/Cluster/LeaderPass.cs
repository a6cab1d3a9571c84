using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

/// <summary>What the leader's view shows at the beginning of a pass. Runs on: the leader's loop. Shared with: nobody.</summary>
internal sealed class LeaderPass
{
    /// <param name="view">The view.</param>
    /// <param name="token">Token of the leadership.</param>
    public LeaderPass(ClusterView view, long token)
    {
        Token = token;
        Members = view.Members;
        PresentSessions = Members.Values.Select(m => m.Session).ToHashSet();
        Active = Members.Keys.Where(view.TakesTopics).ToHashSet();
        Assignments = [.. view.Assignments];
        OwningSessions = Assignments.Where(a => a.A.State != AssignmentState.Released).Select(a => a.A.Session).ToHashSet();
    }

    public long Token { get; }

    public IReadOnlyDictionary<int, (MemberRecord Record, long Session)> Members { get; }

    public IReadOnlySet<long> PresentSessions { get; }

    /// <summary>Brokers that are there, meant to take topics, and not shutting down.</summary>
    public IReadOnlySet<int> Active { get; }

    public IReadOnlyList<(string Topic, Assignment A, MetadataEntry E)> Assignments { get; }

    public IReadOnlySet<long> OwningSessions { get; }

    /// <summary>True when the process that an assignment names is there.</summary>
    public bool IsOwnerThere(Assignment assignment) => PresentSessions.Contains(assignment.Session);
}
