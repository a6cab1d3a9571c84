namespace Danube.Fast.Wal;

/// <summary>
/// Whose a segment file is, by its header. Offsets say nothing about the topic: a file of another one, put among those of a log by mistake, may hold the
/// very offsets that are looked for.
/// </summary>
internal enum SegmentOwner : byte
{
    /// <summary>Nobody has looked at the header yet.</summary>
    Unknown = 0,

    /// <summary>It names this topic, or cannot be read: then its frames speak for themselves.</summary>
    Own = 1,

    /// <summary>It is sound and names another topic: nothing in the file counts.</summary>
    Foreign = 2,
}
