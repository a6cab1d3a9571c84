using Danube.Fast.Cli.Terminal;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Subscriptions;

/// <summary>One subscription as text.</summary>
internal static class SubscriptionPicture
{
    public static void Write(TextWriter output, SubscriptionDetails details)
    {
        SubscriptionInfo s = details.Subscription;
        output.WriteLine($"topic         {details.Topic}");
        output.WriteLine($"subscription  {s.Name} ({s.Type}, epoch {s.Epoch})");
        output.WriteLine($"acknowledged  below offset {s.MarkDelete}, {details.AcknowledgedBeyond} beyond it");
        output.WriteLine($"backlog       {s.Backlog}, {s.Delayed} of it delayed");
        output.WriteLine($"blocked       {s.Blocked ?? "no"}");
        Policy(output, details.Policy);
        output.WriteLine();
        var table = new TextTable("CONSUMER", "PRIORITY", "ACTIVE", "IN_FLIGHT", "CREDIT");
        foreach (ConsumerInfo consumer in details.Consumers)
        {
            table.Add(consumer.Name, consumer.Priority, consumer.Active ? "yes" : "no", consumer.InFlight, consumer.Credit);
        }

        table.WriteTo(output);
    }

    /// <summary>The subscription of a topic with partitions.</summary>
    /// <param name="output">Receives it.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="partitions">The subscription in each partition that could be asked, at least one.</param>
    public static void Write(TextWriter output, string topic, IReadOnlyList<SubscriptionDetails> partitions)
    {
        SubscriptionInfo first = partitions[0].Subscription;
        output.WriteLine($"topic         {topic}");
        output.WriteLine($"subscription  {first.Name} ({first.Type})");
        output.WriteLine($"backlog       {partitions.Sum(p => p.Subscription.Backlog)}, {partitions.Sum(p => p.Subscription.Delayed)} of it delayed");
        Policy(output, partitions[0].Policy);
        output.WriteLine();
        var table = new TextTable("PARTITION", "CONSUMERS", "ACKNOWLEDGED", "BEYOND", "BACKLOG", "DELAYED", "IN_FLIGHT", "EPOCH", "BLOCKED");
        foreach (SubscriptionDetails partition in partitions)
        {
            SubscriptionInfo s = partition.Subscription;
            table.Add(partition.Topic, s.Consumers, s.MarkDelete, partition.AcknowledgedBeyond, s.Backlog, s.Delayed, partition.Consumers.Sum(c => c.InFlight), s.Epoch, s.Blocked ?? "-");
        }

        table.WriteTo(output);
    }

    private static void Policy(TextWriter output, SubscriptionPolicy policy)
    {
        output.WriteLine($"ack timeout   {(policy.AckTimeoutMs is null or 0 ? "never" : policy.AckTimeoutMs + " ms")}");
        output.WriteLine($"back-off      {policy.BackOffMinMs} to {policy.BackOffMaxMs} ms");
        output.WriteLine($"on failure    {policy.FailurePolicy} after {policy.MaxRedeliveries} redeliveries{(policy.FailurePolicy == "dead_letter" ? " to " + policy.DeadLetterTopic : "")}");
    }
}
