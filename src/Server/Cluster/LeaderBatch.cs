using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// Several writes of the leader as one transaction: what they all compare (the leader's token, a target's session) is compared once.
/// Runs on: the leader's loop. Shared with: nobody.
/// </summary>
internal sealed class LeaderBatch(int maxTopics)
{
    private readonly HashSet<MetadataCondition> _conditions = [];
    private readonly List<string> _topics = [];

    /// <summary>All of it.</summary>
    public MetadataTransaction Transaction { get; } = new();

    /// <summary>Whose writes are in it.</summary>
    public IReadOnlyList<string> Topics => _topics;

    /// <summary>Adds one topic's write. False: there is no room; nothing was added.</summary>
    public bool TryAdd(string topic, MetadataTransaction write)
    {
        MetadataCondition[] more = [.. write.Conditions.Where(c => !_conditions.Contains(c))];
        if (_topics.Count == maxTopics || _conditions.Count + more.Length > MetadataTransaction.MaxOperations
            || Transaction.Operations.Count + write.Operations.Count > MetadataTransaction.MaxOperations
            || Transaction.SizeBytes + write.SizeBytes > MetadataTransaction.MaxBytes)
        {
            return false;
        }

        _topics.Add(topic);
        foreach (MetadataCondition condition in more)
        {
            _conditions.Add(condition);
            _ = condition.Field switch
            {
                MetadataField.CreatedRevision => Transaction.IfCreated(condition.Key, condition.Expected),
                MetadataField.Revision => Transaction.IfRevision(condition.Key, condition.Expected),
                _ => Transaction.IfVersion(condition.Key, condition.Expected),
            };
        }

        foreach (MetadataOperation operation in write.Operations)
        {
            _ = operation.Kind == MetadataChangeKind.Put
                ? Transaction.Put(operation.Key, operation.Value, operation.LeaseId)
                : Transaction.Delete(operation.Key);
        }

        return true;
    }
}
