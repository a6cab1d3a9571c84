namespace Danube.Fast.Core.Tests;

/// <summary>A subscription with a redelivery limit and a consumer with credit.</summary>
internal static class LimitedRig
{
    public static readonly SubscriptionRules Twice = new() { MaxRedeliveries = 2 };

    public static async Task<(Rig Rig, Subscription Subscription, Consumer Consumer, RecordingSink Sink)> OpenAsync(
        SubscriptionType type, SubscriptionRules rules, TopicOptions? options = null)
    {
        var rig = new Rig(options: options);
        Subscription subscription = await rig.SubscribeAsync(type);
        subscription.SetRules(rules);
        var sink = new RecordingSink();
        Consumer consumer = Rig.Attach(subscription, sink);
        Rig.Credit(consumer, subscription, 1000);
        return (rig, subscription, consumer, sink);
    }
}
