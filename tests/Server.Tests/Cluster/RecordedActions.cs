using System.Collections.Concurrent;
using Danube.Fast.Core;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>Topics that are opened and closed on paper: what was asked for, in order, and what the store showed at the moment clients were let in.</summary>
internal sealed class RecordedActions(IMetadataStore store) : IOwnerActions
{
    private readonly ConcurrentDictionary<string, OwnershipGate> _open = new();

    public ConcurrentQueue<string> Calls { get; } = new();

    /// <summary>Answers of <see cref="PrepareAsync"/> by topic; ready with epoch 0 without one.</summary>
    public ConcurrentDictionary<string, PreparedTopic> Prepares { get; } = new();

    /// <summary>Topics with something in them.</summary>
    public ConcurrentDictionary<string, bool> WithRecords { get; } = new();

    public ConcurrentDictionary<string, bool> Deleting { get; } = new();

    /// <summary>What was wrong when a topic was activated.</summary>
    public ConcurrentQueue<string> Faults { get; } = new();

    /// <summary>Offset at which a topic is stopped.</summary>
    public long EndOffset { get; set; } = 7;

    /// <summary>Completes before <see cref="PrepareAsync"/> answers.</summary>
    public Task Hold { get; set; } = Task.CompletedTask;

    /// <summary>Called before a topic is stopped.</summary>
    public Action? BeforeStop { get; set; }

    public OwnershipGate? GateOf(string topic) => _open.GetValueOrDefault(topic);

    public async ValueTask<PreparedTopic> PrepareAsync(string topic, Assignment assignment, OwnershipGate gate, CancellationToken cancellationToken)
    {
        Calls.Enqueue($"prepare {topic} {assignment.TopicId} at {assignment.StartOffset}");
        await Hold;
        _open[topic] = gate;
        return Prepares.TryGetValue(topic, out PreparedTopic answer) ? answer : new PreparedTopic(PrepareStatus.Ready);
    }

    public void Activate(string topic, uint epoch)
    {
        // The embedded store answers at once.
        Assignment there = Assignment.Decode(store.GetAsync(ClusterKeys.Assignment(topic)).AsTask().GetAwaiter().GetResult()!);
        if (there.State is not (AssignmentState.Serving or AssignmentState.Releasing) || there.Epoch != epoch)
        {
            Faults.Enqueue($"{topic} was activated with epoch {epoch} while the store says {there.State}, epoch {there.Epoch}");
        }

        Calls.Enqueue($"activate {topic} {epoch}");
    }

    public bool IsInMemory(string topic) => !WithRecords.ContainsKey(topic);

    public bool MayRelease(string topic) => !WithRecords.ContainsKey(topic);

    public bool IsDeleting(string topic, long topicId) => Deleting.ContainsKey(topic);

    public ValueTask<StoppedTopic> StopAsync(string topic, StopReason why, CancellationToken cancellationToken)
    {
        BeforeStop?.Invoke();
        _open.TryRemove(topic, out _);
        Calls.Enqueue($"stop {topic} {why}");
        return ValueTask.FromResult(new StoppedTopic(EndOffset, WithRecords.ContainsKey(topic)));
    }

    public void Discard(string topic, long topicId) => Calls.Enqueue($"discard {topic} {topicId}");

    public void ParkForeign() => Calls.Enqueue("park");
}
