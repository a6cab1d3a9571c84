namespace Danube.Fast.Client;

/// <summary>Attributes of spans, as OpenTelemetry's conventions for messaging name them; those of its own begin with <c>danube.</c>.</summary>
internal static class SpanTags
{
    public const string System = "messaging.system", SystemName = "danube";
    public const string OperationName = "messaging.operation.name", OperationType = "messaging.operation.type";
    public const string Destination = "messaging.destination.name", Partition = "messaging.destination.partition.id";
    public const string Subscription = "messaging.destination.subscription.name";
    public const string MessageId = "messaging.message.id", BodySize = "messaging.message.body.size";
    public const string ClientId = "messaging.client.id", ErrorType = "error.type";
    public const string RedeliveryCount = "danube.redelivery_count";
}
