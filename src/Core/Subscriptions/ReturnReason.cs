namespace Danube.Fast.Core;

/// <summary>Why a record came back to its subscription; in dead letters by name. Persisted with the redelivery counts; append-only.</summary>
public enum ReturnReason : byte
{
    /// <summary>Not known: saved by a version that did not note it.</summary>
    Unknown = 0,

    /// <summary>A consumer gave it back.</summary>
    Nack = 1,

    /// <summary>It was taken and not acknowledged within the ack timeout.</summary>
    AckTimeout = 2,

    /// <summary>It was taken by a consumer that has gone or was taken over from.</summary>
    ConsumerLost = 3,

    /// <summary>A consumer could not unpack it.</summary>
    Undecodable = 4,

    /// <summary>A consumer refused it.</summary>
    Rejected = 5,

    /// <summary>It has been in the dead-letter topic already: as a dead letter it would go in a circle. Stays until other rules are set.</summary>
    DeadLetterCircle = 6,
}

/// <summary>Wire names of <see cref="ReturnReason"/>.</summary>
public static class ReturnReasons
{
    /// <summary>The snake_case name, as in the attribute <c>danube.reason</c>.</summary>
    public static string Name(ReturnReason reason) => reason switch
    {
        ReturnReason.Nack => "nack",
        ReturnReason.AckTimeout => "ack_timeout",
        ReturnReason.ConsumerLost => "consumer_lost",
        ReturnReason.Undecodable => "undecodable",
        ReturnReason.Rejected => "rejected",
        ReturnReason.DeadLetterCircle => "dead_letter_circle",
        _ => "unknown",
    };
}
