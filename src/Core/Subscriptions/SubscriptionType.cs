namespace Danube.Fast.Core;

/// <summary>How a subscription spreads records over its consumers. Persisted and on the wire; append-only.</summary>
public enum SubscriptionType : byte
{
    /// <summary>One consumer, in order.</summary>
    Exclusive = 0,

    /// <summary>Any number of consumers; the unit is the frame.</summary>
    Shared = 1,

    /// <summary>One active consumer of several, in order.</summary>
    Failover = 2,

    /// <summary>Any number of consumers; a key stays with one.</summary>
    KeyShared = 3,
}

/// <summary>Wire names of <see cref="SubscriptionType"/>.</summary>
public static class SubscriptionTypes
{
    /// <summary>The snake_case name on the wire.</summary>
    public static string Name(SubscriptionType type) => type switch
    {
        SubscriptionType.Exclusive => "exclusive",
        SubscriptionType.Shared => "shared",
        SubscriptionType.Failover => "failover",
        _ => "key_shared",
    };

    public static bool TryParse(string? name, out SubscriptionType type)
    {
        (bool known, type) = name switch
        {
            "exclusive" => (true, SubscriptionType.Exclusive),
            "shared" => (true, SubscriptionType.Shared),
            "failover" => (true, SubscriptionType.Failover),
            "key_shared" => (true, SubscriptionType.KeyShared),
            _ => (false, SubscriptionType.Exclusive),
        };
        return known;
    }
}
