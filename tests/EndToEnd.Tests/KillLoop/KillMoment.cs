namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>When the broker dies.</summary>
internal enum KillMoment
{
    /// <summary>Under load.</summary>
    Load,

    /// <summary>Before it listens, twice: while it starts on what the kill before has left.</summary>
    Start,

    /// <summary>Right after it listens: logs are being scanned, clients come back.</summary>
    Ready,

    /// <summary>During a clean stop.</summary>
    Stop,

    /// <summary>While topics are created, written to and deleted.</summary>
    CreateDelete,

    /// <summary>While a subscription is moved.</summary>
    Seek,

    /// <summary>While a topic is purged.</summary>
    Purge,

    /// <summary>Not at all: a clean stop.</summary>
    CleanStop,
}
