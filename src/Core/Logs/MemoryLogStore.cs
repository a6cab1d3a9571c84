using System.Collections.Concurrent;

namespace Danube.Fast.Core;

/// <summary>The in-memory twin of a data directory: logs and cursors live as long as the store. Any thread.</summary>
public sealed class MemoryLogStore : LogStore
{
    private readonly ConcurrentDictionary<ulong, MemoryTopicLog> _logs = new();
    private int _generation;

    public override CursorStore Cursors { get; } = new MemoryCursorStore();

    public override TopicLog Create(ulong topicId, DurabilityClass durability, LogRetention retention)
    {
        var log = new MemoryTopicLog(topicId, durability, (uint)Interlocked.Increment(ref _generation), retention);
        if (!_logs.TryAdd(topicId, log))
        {
            throw new ArgumentException($"Topic id {topicId} is in use.", nameof(topicId));
        }

        return log;
    }

    /// <summary>An empty log: nothing is kept beyond the object that <see cref="Create"/> gave.</summary>
    public override TopicLog Open(ulong topicId, DurabilityClass durability, LogRetention retention)
    {
        _logs.TryRemove(topicId, out _);
        return Create(topicId, durability, retention);
    }

    /// <inheritdoc/>
    public override TopicLog CreateAt(ulong topicId, DurabilityClass durability, LogRetention retention, long startOffset)
    {
        _logs.TryRemove(topicId, out _);
        var log = new MemoryTopicLog(topicId, durability, (uint)Interlocked.Increment(ref _generation), retention, startOffset);
        _logs[topicId] = log;
        return log;
    }

    /// <summary>Always false: what was there before is of no use.</summary>
    public override bool Exists(ulong topicId) => false;

    public override IReadOnlyList<ulong> TopicIdsFound => [];

    public override string? Park(ulong topicId)
    {
        Delete(topicId);
        return null;
    }

    public override int RemoveOrphans(TimeSpan age) => 0;

    public override void Delete(ulong topicId)
    {
        if (_logs.TryRemove(topicId, out MemoryTopicLog? log))
        {
            log.Dispose();
        }

        Cursors.RemoveTopic(topicId);
    }
}
