namespace Danube.Fast.Wal;

/// <summary>What a log answers to the journal's group.</summary>
internal enum GroupAnswer
{
    /// <summary>Everything is durable already.</summary>
    Nothing,

    /// <summary>It is in the group.</summary>
    Joined,

    /// <summary>It needs a sync of its own files.</summary>
    TooLarge,

    /// <summary>The group is full.</summary>
    NoRoom,
}
