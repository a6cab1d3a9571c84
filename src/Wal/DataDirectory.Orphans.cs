using System.Globalization;
using Danube.Fast.Core;

namespace Danube.Fast.Wal;

// Logs in a cluster: where a topic comes from another broker its log begins above 0, and a log that nobody owns any more is put aside, never served.
public sealed partial class DataDirectory
{
    internal const string OrphansName = "orphans";

    /// <inheritdoc/>
    public override IReadOnlyList<ulong> TopicIdsFound => [.. TopicIds(Options.FileSystem, _topicsPath)];

    /// <inheritdoc/>
    public override bool Exists(ulong topicId) => Options.FileSystem.DirectoryExists(PathOf(topicId));

    /// <inheritdoc/>
    public override TopicLog CreateAt(ulong topicId, DurabilityClass durability, LogRetention retention, long startOffset)
    {
        // A crash between the move of a directory and the removal of its records leaves those: they speak of another log.
        Store.RemoveLog(topicId);

        // The record of a log that was closed in order and holds nothing any more: all before the offset is another broker's past. The journal may still hold
        // entries of a log that had the id here before: their generations are lower.
        Store.PutLog(topicId, new LogState(true, 0, 0, startOffset, startOffset, -1, -1, 0, Checkpoint.Incarnation, Checkpoint.NextUnused));
        Store.Records.Sync();

        // A file of that log may have failed since it was put aside: the journal keeps nothing for it any more.
        _journalCheckpoint?.Forget(topicId);
        return Create(topicId, durability, retention);
    }

    /// <inheritdoc/>
    public override string? Park(ulong topicId)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{topicId}-{NowMicros}-{NextFileNumber()}");
        return MoveAway(topicId, () =>
        {
            string orphans = Path.Combine(RootPath, OrphansName);
            if (!Options.FileSystem.DirectoryExists(orphans))
            {
                Options.FileSystem.CreateDirectory(orphans);
                Options.FileSystem.SyncDirectory(RootPath);
            }

            return Path.Combine(orphans, name);
        });
    }

    /// <inheritdoc/>
    public override int RemoveOrphans(TimeSpan age)
    {
        string orphans = Path.Combine(RootPath, OrphansName);
        if (!Options.FileSystem.DirectoryExists(orphans))
        {
            return 0;
        }

        int removed = 0;
        long before = NowMicros - (long)age.TotalMicroseconds;
        foreach (string name in Options.FileSystem.List(orphans))
        {
            // What somebody else has put there stays.
            string[] parts = name.Split('-');
            if (parts.Length == 3 && ulong.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out _)
                && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long parked) && parked <= before)
            {
                Cleaner.Enqueue(new DirectoryRemoval(this, Path.Combine(orphans, name)));
                removed++;
            }
        }

        return removed;
    }

    // Closes a log and renames its directory durably; the target's parent is made by then. Null when there was no directory.
    private string? MoveAway(ulong topicId, Func<string> targetOf)
    {
        if (_logs.TryGetValue(topicId, out DurableLog? log))
        {
            log.Dispose();
        }

        string path = PathOf(topicId);
        string? target = null;
        if (Options.FileSystem.DirectoryExists(path))
        {
            target = targetOf();
            Options.FileSystem.Rename(path, target);
            string parent = Path.GetDirectoryName(target)!;
            if (parent != _topicsPath)
            {
                Options.FileSystem.SyncDirectory(parent);
            }

            Options.FileSystem.SyncDirectory(_topicsPath);
        }

        log?.MarkDeleted();
        Store.RemoveLog(topicId);
        _journalCheckpoint?.Forget(topicId);
        return target;
    }
}
