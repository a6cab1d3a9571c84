using Danube.Fast.Core;

namespace Danube.Fast.Wal;

/// <summary>All durable logs and cursors of a broker: one directory, one lock, one committer.</summary>
public sealed class DataDirectory : LogStore, IDisposable
{
    private DataDirectory(string path, WalOptions options)
    {
        RootPath = path;
        Options = options;
    }

    /// <summary>Absolute path.</summary>
    public string RootPath { get; }

    public WalOptions Options { get; }

    public WalCounters Counters { get; } = new();

    public WalHealth Health => new(false, false, [], [], null);

    public override CursorStore Cursors => throw new NotSupportedException();

    /// <summary>Creates or opens a data directory: locks it, reads the checkpoint and the cursor log. Logs are opened one by one.</summary>
    /// <exception cref="DataDirectoryLockedException">Another process uses it.</exception>
    public static DataDirectory Open(string path, WalOptions options) => new(System.IO.Path.GetFullPath(path), options);

    public override TopicLog Create(ulong topicId, DurabilityClass durability, LogRetention retention) => throw new NotSupportedException();

    public override TopicLog Open(ulong topicId, DurabilityClass durability, LogRetention retention) => throw new NotSupportedException();

    public override void Delete(ulong topicId) => throw new NotSupportedException();

    /// <summary>Closes all logs: syncs them, writes producer snapshots, the clean checkpoint last.</summary>
    public void Dispose()
    {
    }
}
