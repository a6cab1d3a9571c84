namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>Messages for brokers of a <see cref="HostedCluster"/>.</summary>
internal static class HostedTraffic
{
    /// <summary>Publishes one message to a broker that serves the topic; returns when it is acknowledged.</summary>
    public static async Task PublishAsync(BrokerHost broker, string topic)
    {
        using LineClient client = await LineClient.ConnectAsync(broker.NativeEndPoint);
        int channel = (await client.RequestAsync("$create_producer", $$"""{"topic":"{{topic}}","name":"p"}""")).GetProperty("channel").GetInt32();
        await client.RequestAsync("$publish", $$"""{"channel":{{channel}},"messages":[{"payload":"one"}]}""");
    }
}
