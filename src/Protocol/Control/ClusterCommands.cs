namespace Danube.Fast.Protocol;

/// <summary>
/// Where a topic is served, in the error of a broker that does not serve it: <c>not_owner</c> names the broker to go to, <c>topic_waiting</c>
/// the broker that has the data and is away, <c>owner_unproven</c> only when to ask again.
/// </summary>
public sealed record RedirectPayload
{
    /// <summary>Id of the owner; 0 when there is none yet.</summary>
    public int Broker { get; set; }

    /// <summary><c>host:port</c> of the owner's native protocol; empty: nowhere at the moment, ask again.</summary>
    public string Address { get; set; } = "";

    /// <summary>Epoch of the topic under this owner; 0 when nobody serves it.</summary>
    public uint Epoch { get; set; }

    /// <summary>Revision of the cluster's metadata that this was known at. Say the highest one seen in <see cref="LookupRequest.Revision"/>.</summary>
    public long Revision { get; set; }

    /// <summary>Milliseconds to wait before asking again; 0: at once.</summary>
    public int RetryMs { get; set; }

    /// <summary>Unix milliseconds since when the owner is away; absent when it is not.</summary>
    public long? WaitingSince { get; set; }
}

/// <summary>Asks any broker of a cluster where a topic is served.</summary>
public sealed record LookupRequest
{
    /// <summary>Name of the topic, <c>/namespace/name</c>.</summary>
    public string Topic { get; set; } = "";

    /// <summary>Highest revision that the client has seen; a broker that knows less catches up first. 0: none.</summary>
    public long Revision { get; set; }
}

/// <summary>The answer to <see cref="LookupRequest"/>.</summary>
public sealed record LookupReply
{
    /// <summary><c>connect</c>: at <see cref="Address"/>; <c>retry</c>: nobody serves it yet; <c>waiting</c>: its owner has the data and is away.</summary>
    public string Result { get; set; } = "";

    /// <summary>Id of the owner; 0 when there is none yet.</summary>
    public int Broker { get; set; }

    /// <summary><c>host:port</c> of the owner's native protocol; empty unless the result is <c>connect</c>.</summary>
    public string Address { get; set; } = "";

    /// <summary>Epoch of the topic under this owner.</summary>
    public uint Epoch { get; set; }

    /// <summary>Revision of the cluster's metadata that this was known at; 0 from a broker without a cluster.</summary>
    public long Revision { get; set; }

    /// <summary>Milliseconds to wait before asking again when the result is not <c>connect</c>.</summary>
    public int RetryMs { get; set; }

    /// <summary>Unix milliseconds since when the owner is away; absent when it is not.</summary>
    public long? WaitingSince { get; set; }

    /// <summary>For people: what is waited for, and what helps; absent for <c>connect</c>.</summary>
    public string? Message { get; set; }

    /// <summary>Partitions of the topic: with more than 1 look up <c>name-part-N</c>; the result is <c>connect</c> to the asked broker then.</summary>
    public int Partitions { get; set; } = 1;
}

/// <summary>Words of <see cref="LookupReply.Result"/>.</summary>
public static class LookupResults
{
    /// <summary>The topic is served at the address.</summary>
    public const string Connect = "connect";

    /// <summary>Nobody serves it at the moment: ask again.</summary>
    public const string Retry = "retry";

    /// <summary>The broker that has its data is away.</summary>
    public const string Waiting = "waiting";
}
