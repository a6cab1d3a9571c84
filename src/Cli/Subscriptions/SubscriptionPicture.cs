using Danube.Fast.Cli.Terminal;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Subscriptions;

/// <summary>One subscription as text.</summary>
internal static class SubscriptionPicture
{
    public static void Write(TextWriter output, SubscriptionDetails details)
    {
        SubscriptionInfo s = details.Subscription;
        SubscriptionPolicy policy = details.Policy;
        output.WriteLine($"topic         {details.Topic}");
        output.WriteLine($"subscription  {s.Name} ({s.Type}, epoch {s.Epoch})");
        output.WriteLine($"acknowledged  below offset {s.MarkDelete}, {details.AcknowledgedBeyond} beyond it");
        output.WriteLine($"backlog       {s.Backlog}, {s.Delayed} of it delayed");
        output.WriteLine($"blocked       {s.Blocked ?? "no"}");
        output.WriteLine($"ack timeout   {(policy.AckTimeoutMs is null or 0 ? "never" : policy.AckTimeoutMs + " ms")}");
        output.WriteLine($"back-off      {policy.BackOffMinMs} to {policy.BackOffMaxMs} ms");
        output.WriteLine($"on failure    {policy.FailurePolicy} after {policy.MaxRedeliveries} redeliveries{(policy.FailurePolicy == "dead_letter" ? " to " + policy.DeadLetterTopic : "")}");
        output.WriteLine();
        var table = new TextTable("CONSUMER", "PRIORITY", "ACTIVE", "IN_FLIGHT", "CREDIT");
        foreach (ConsumerInfo consumer in details.Consumers)
        {
            table.Add(consumer.Name, consumer.Priority, consumer.Active ? "yes" : "no", consumer.InFlight, consumer.Credit);
        }

        table.WriteTo(output);
    }
}
