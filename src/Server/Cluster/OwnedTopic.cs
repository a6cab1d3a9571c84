namespace Danube.Fast.Server.Cluster;

/// <summary>Where the owner loop stands with a topic.</summary>
internal enum OwnerPhase
{
    /// <summary>Nothing is open here.</summary>
    Idle,

    /// <summary>Its log is being opened.</summary>
    Preparing,

    /// <summary>Its log is open; the write that makes this broker serve it is to come.</summary>
    Prepared,

    /// <summary>Clients are let in.</summary>
    Serving,

    /// <summary>It is being closed.</summary>
    Stopping,

    /// <summary>Closed on the leader's request; the write that gives it up is to come.</summary>
    Stopped,
}

/// <summary>One topic as the owner loop sees it. Runs on: the owner loop; background work hands its result over and touches nothing. Shared with: readers of the phase.</summary>
internal sealed class OwnedTopic(string name, int me)
{
    private volatile OwnerPhase _phase;
    private volatile string? _failure;
    private volatile uint _deniedEpoch;

    public string Name { get; } = name;

    /// <summary>What is known of the assignment.</summary>
    public TopicOwnership Rights { get; } = new(name, me);

    public OwnerPhase Phase
    {
        get => _phase;
        set => _phase = value;
    }

    /// <summary>Session under which it was opened.</summary>
    public long Session { get; set; }

    /// <summary>Topic id that is open.</summary>
    public long TopicId { get; set; }

    /// <summary>Prepared: highest epoch in the log. Serving: the epoch.</summary>
    public long Epoch { get; set; }

    /// <summary>Highest epoch that somebody claimed to have seen and of which the store knew nothing; 0 for none. Read by others.</summary>
    public uint DeniedEpoch
    {
        get => _deniedEpoch;
        set => _deniedEpoch = value;
    }

    /// <summary>Stopped: where it ended.</summary>
    public long EndOffset { get; set; }

    /// <summary>Why it could not be opened the last time, or null.</summary>
    public string? Failure
    {
        get => _failure;
        set => _failure = value;
    }

    /// <summary>Attempts to open it that failed for a reason that may pass, one after the other.</summary>
    public int Attempts { get; set; }

    /// <summary>It is to be recorded as failed.</summary>
    public bool GivesUp { get; set; }

    /// <summary>Not tried again before this moment of the loop's clock.</summary>
    public long RetryAt { get; set; }
}
