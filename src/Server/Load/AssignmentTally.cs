using System.Collections.Concurrent;

namespace Danube.Fast.Server.Load;

/// <summary>How often topics came to and went from brokers: <c>danube_broker_assignments_total</c>. Runs on: the load service. Shared with: metrics.</summary>
internal sealed class AssignmentTally
{
    private readonly ConcurrentDictionary<long, (long Assigned, long Unassigned)> _counts = new();

    /// <summary>Brokers with their counts.</summary>
    public IEnumerable<(long Broker, long Assigned, long Unassigned)> All => _counts.OrderBy(c => c.Key).Select(c => (c.Key, c.Value.Assigned, c.Value.Unassigned));

    /// <summary>A broker that nothing came to yet has counts, too.</summary>
    public void Know(long broker) => _counts.TryAdd(broker, default);

    public void Assigned(long broker, int topics = 1) => _counts.AddOrUpdate(broker, (topics, 0), (_, c) => (c.Assigned + topics, c.Unassigned));

    public void Unassigned(long broker) => _counts.AddOrUpdate(broker, (0, 1), (_, c) => (c.Assigned, c.Unassigned + 1));
}
