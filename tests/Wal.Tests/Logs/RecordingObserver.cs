using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Notes what a log tells its engine.</summary>
internal sealed class RecordingObserver : ILogObserver
{
    public List<long> Durable { get; } = [];

    public List<long> Starts { get; } = [];

    public List<Exception> Failures { get; } = [];

    public void OnDurable(TopicLog log) => Durable.Add(log.Durable);

    public void OnLogStart(TopicLog log) => Starts.Add(log.LogStart);

    public void OnFailed(TopicLog log, Exception cause) => Failures.Add(cause);
}
