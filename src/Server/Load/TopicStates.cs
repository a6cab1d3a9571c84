namespace Danube.Fast.Server.Load;

/// <summary>States of topics as metrics and the admin API name them.</summary>
internal static class TopicStates
{
    /// <summary>Its owner serves it.</summary>
    public const string Serving = "serving";

    /// <summary>Given to a broker that has not opened it yet.</summary>
    public const string Assigned = "assigned";

    /// <summary>The owner was asked to give it up.</summary>
    public const string Releasing = "releasing";

    /// <summary>Given up: the leader gives it to somebody.</summary>
    public const string Released = "released";

    /// <summary>The owner could not open it.</summary>
    public const string Failed = "failed";

    /// <summary>Its owner is away, and nobody else has its data.</summary>
    public const string Waiting = "waiting";

    /// <summary>Nobody was given it yet.</summary>
    public const string Unassigned = "unassigned";

    public static readonly string[] All = [Serving, Assigned, Releasing, Released, Failed, Waiting, Unassigned];

    /// <summary>Every state with no topics in it.</summary>
    public static Dictionary<string, int> None() => All.ToDictionary(s => s, _ => 0, StringComparer.Ordinal);
}
