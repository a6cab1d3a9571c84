namespace Danube.Fast.Core;

/// <summary>What <see cref="Topic.OpenSubscriptionAsync"/> needs to create or open a subscription.</summary>
/// <param name="Name">A name part as of <see cref="TopicName.IsPart"/>.</param>
/// <param name="Type">Used when the subscription is new; an existing one keeps its own (<see cref="Subscription.Type"/>).</param>
/// <param name="Start">Used when the subscription is new.</param>
public readonly record struct SubscriptionSpec(string Name, SubscriptionType Type, StartPosition Start)
{
    /// <summary>Null: an existing subscription keeps its rules, a new one takes the defaults.</summary>
    public SubscriptionRules? Rules { get; init; }

    /// <summary>A reader's: its cursor is never saved, and it ends with its consumer.</summary>
    public bool IsReader { get; init; }
}
