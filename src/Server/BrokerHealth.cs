using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Http;
using Danube.Fast.Server.Topics;
using Danube.Fast.Wal;

namespace Danube.Fast.Server;

/// <summary>Whether the broker can do its work, and what it has lost. Runs on: HTTP requests.</summary>
internal sealed class BrokerHealth(BrokerState state, DataDirectory data, TopicRegistry topics, ClusterNode? cluster, Func<string?> noteOfStore)
{
    // Of the logs that have failed so many are named in one line.
    private const int NamedLogs = 3;

    /// <summary>Each condition for taking traffic.</summary>
    public HealthReply Readiness()
    {
        WalHealth health = data.Health;
        HealthCheck[] checks =
        [
            new("not_draining", !state.IsDraining, state.IsDraining ? "the broker is shutting down" : ""),
            new("log_open", health.StoreFailure is null && health.PoisonedTopics.Count == 0, health.StoreFailure is { } failed ? $"cursors and states of logs cannot be saved; it is tried again: {failed.Message}" : Describe(health.PoisonedTopics)),
            new("journal", health.JournalFailure is null, health.JournalFailure is { } cause ? $"the commit journal failed, so nothing is acknowledged: {cause.Message} Restart the broker once the disk is good." : ""),
            new("file_handles", !health.OutOfHandles, health.OutOfHandles ? "too many files are open: raise the limit (ulimit -n)" : ""),
            .. cluster is null ? (HealthCheck[])[] : [InCluster(cluster)],
            new("disk_space", !health.DiskLow && !health.DiskFull, health.DiskFull ? "the disk is full: publishes wait until space is freed" : health.DiskLow ? "free space is below the low-water mark (wal.low_space_bytes): publishes wait until space is freed" : ""),
        ];
        return new HealthReply(Array.TrueForAll(checks, c => c.Ok) ? "ok" : "unavailable", checks);
    }

    /// <summary>The same, with the logs behind it by name, and the damage that was found.</summary>
    public LogHealthReply Logs()
    {
        HealthReply ready = Readiness();
        return new LogHealthReply(
            ready.Status,
            ready.Checks,
            [.. topics.OpenTopics.Where(o => o.Topic.Refusal == ErrorCode.LogFailed).Select(o => Failed(o.Topic))],
            [.. topics.OpenTopics.SelectMany(o => o.Topic.Log.Damages.Select(d => new DamagedLog(o.Topic.Name, o.Topic.Log.TopicId, d.From, d.To)))]);
    }

    /// <summary>Name of a log for people.</summary>
    public string NameOf(ulong topicId) => topicId == 0 ? "all logs" : topics.NameOf(topicId) ?? "a topic that is not known";

    // What somebody should look at is said before it turns the answer.
    private HealthCheck InCluster(ClusterNode node)
    {
        (bool isReady, string reason) = node.Readiness;
        return new HealthCheck("cluster", isReady, reason.Length == 0 ? noteOfStore() ?? "" : reason);
    }

    private static FailedLog Failed(Topic topic) => new(topic.Name, topic.Log.TopicId, topic.Log.Durable, topic.Log.Failure?.Message ?? "");

    private string Describe(IReadOnlyList<ulong> failed)
    {
        if (failed.Count == 0)
        {
            return "";
        }

        string names = string.Join(", ", failed.Take(NamedLogs).Select(NameOf));
        return $"{failed.Count} logs were stopped by an I/O error: {names}{(failed.Count > NamedLogs ? ", ..." : "")}. Look at /admin/v1/health, repair the disk, restart";
    }
}
