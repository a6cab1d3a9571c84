namespace Danube.Fast.Core;

/// <summary>Opens logs. Durable in src/Wal (one per data directory), in memory in this project.</summary>
public abstract class LogStore
{
    /// <summary>Days for which a log that was put aside is kept.</summary>
    public const int OrphanDays = 7;

    /// <summary>Creates the log of a new topic; its directory is durable when this returns.</summary>
    public abstract TopicLog Create(ulong topicId, DurabilityClass durability, LogRetention retention);

    /// <summary>Opens the log of a known topic (recovery included; what an unclean stop left is scanned before the first append or read).</summary>
    public abstract TopicLog Open(ulong topicId, DurabilityClass durability, LogRetention retention);

    /// <summary>Deletes the log of a topic that the catalogue no longer names; its files go in the background.</summary>
    public abstract void Delete(ulong topicId);

    /// <summary>Creates the log of a topic that another broker held before: its first record gets <paramref name="startOffset"/>, nothing below it is kept.</summary>
    public abstract TopicLog CreateAt(ulong topicId, DurabilityClass durability, LogRetention retention, long startOffset);

    /// <summary>There is a log of this topic, open or not.</summary>
    public abstract bool Exists(ulong topicId);

    /// <summary>The topics of which there is a log.</summary>
    public abstract IReadOnlyList<ulong> TopicIdsFound { get; }

    /// <summary>Closes a log and puts it aside, with its cursors forgotten: it is never served again, and kept for a person to look at. Where it lies now; null when there was none.</summary>
    public abstract string? Park(ulong topicId);

    /// <summary>Deletes what was put aside at least so long ago; how many there were.</summary>
    public abstract int RemoveOrphans(TimeSpan age);

    /// <summary>Cursors of subscriptions.</summary>
    public abstract CursorStore Cursors { get; }
}

/// <summary>
/// Keeps the state of cursors. The state is opaque here: <c>CursorCodec</c> writes and reads it. Keyed by topic id and subscription name.
/// </summary>
public abstract class CursorStore
{
    /// <summary>Last saved state, or null.</summary>
    public abstract byte[]? Load(ulong topicId, string subscription);

    /// <summary>
    /// Saves soon (with the next commit); nobody waits. <paramref name="state"/> is copied. What was saved before a deletion from the front of the topic's log was
    /// asked for is on the disk no later than that deletion.
    /// </summary>
    public abstract void Save(ulong topicId, string subscription, ReadOnlySpan<byte> state);

    /// <summary>Saves and completes when it is on disk.</summary>
    public abstract ValueTask SaveDurableAsync(ulong topicId, string subscription, ReadOnlyMemory<byte> state);

    public abstract void Remove(ulong topicId, string subscription);

    public abstract void RemoveTopic(ulong topicId);
}
