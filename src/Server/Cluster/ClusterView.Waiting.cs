using System.Collections.Concurrent;
using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

// Who waits for one topic is woken by that topic's keys only: a thousand creations at once do not wake each other.
internal sealed partial class ClusterView
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _waiters = new(StringComparer.Ordinal);

    /// <summary>Waits until something holds for a topic; looked at whenever its record or its assignment changes. False: it did not in time.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="holds">Reads this view.</param>
    /// <param name="limit">How long at most.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<bool> WaitForTopicAsync(string topic, Func<bool> holds, TimeSpan limit, CancellationToken cancellationToken)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            Task changed = _waiters.GetOrAdd(topic, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            if (holds())
            {
                return true;
            }

            TimeSpan left = limit - TimeProvider.System.GetElapsedTime(start);
            if (left <= TimeSpan.Zero)
            {
                return false;
            }

            try
            {
                await changed.WaitAsync(left, cancellationToken);
            }
            catch (TimeoutException)
            {
                // Looked at once more.
            }
        }
    }

    private void WakeWaiters(MetadataRevision revision)
    {
        foreach (MetadataChange change in _waiters.IsEmpty ? [] : revision.Changes)
        {
            string? topic = change.Key.StartsWith(ClusterKeys.Assignments, StringComparison.Ordinal) ? change.Key[AssignmentsOfTopics.Length..]
                : change.Key.StartsWith(ClusterKeys.Topics, StringComparison.Ordinal) ? change.Key[TopicKeys.Length..]
                : null;
            if (topic is not null && _waiters.TryRemove(topic, out TaskCompletionSource? waiter))
            {
                waiter.SetResult();
            }
        }
    }
}
