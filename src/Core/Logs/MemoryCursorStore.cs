using System.Collections.Concurrent;

namespace Danube.Fast.Core;

/// <summary>Keeps cursor states in memory. Any thread.</summary>
public sealed class MemoryCursorStore : CursorStore
{
    private readonly ConcurrentDictionary<(ulong TopicId, string Subscription), byte[]> _states = new();

    public override byte[]? Load(ulong topicId, string subscription) => _states.GetValueOrDefault((topicId, subscription));

    public override void Save(ulong topicId, string subscription, ReadOnlySpan<byte> state) => _states[(topicId, subscription)] = state.ToArray();

    public override ValueTask SaveDurableAsync(ulong topicId, string subscription, ReadOnlyMemory<byte> state)
    {
        Save(topicId, subscription, state.Span);
        return ValueTask.CompletedTask;
    }

    public override void Remove(ulong topicId, string subscription) => _states.TryRemove((topicId, subscription), out _);

    public override void RemoveTopic(ulong topicId)
    {
        foreach ((ulong TopicId, string Subscription) key in _states.Keys)
        {
            if (key.TopicId == topicId)
            {
                _states.TryRemove(key, out _);
            }
        }
    }
}
