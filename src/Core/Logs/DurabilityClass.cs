namespace Danube.Fast.Core;

/// <summary>When a publish is acknowledged, and so what it survives. Persisted; append-only.</summary>
public enum DurabilityClass : byte
{
    /// <summary>Accepted by the topic, never written. Slow consumers drop, counted.</summary>
    Memory = 0,

    /// <summary>Written to the log (page cache): survives the process.</summary>
    Os = 1,

    /// <summary>fdatasync has returned: survives power loss.</summary>
    Fsync = 2,

    /// <summary>Stored in the object store.</summary>
    Object = 3,
}
