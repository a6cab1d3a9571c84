using System.Text.Json;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>Messages for brokers of a <see cref="HostedCluster"/>.</summary>
internal static class HostedTraffic
{
    /// <summary>Publishes one message to a broker that serves the topic, or will in a moment; returns when it is acknowledged.</summary>
    public static async Task PublishAsync(BrokerHost broker, string topic)
    {
        using LineClient client = await LineClient.ConnectAsync(broker.NativeEndPoint);
        JsonElement producer = default;
        await HostedCluster.UntilAsync($"{topic} takes a producer", async () =>
        {
            try
            {
                producer = await client.RequestAsync("$create_producer", $$"""{"topic":"{{topic}}","name":"p"}""");
                return true;
            }
            catch (Exception e) when (e.Message.Contains("try again in a moment", StringComparison.Ordinal))
            {
                return false; // A topic counts as served a moment before its owner has heard that it may.
            }
        });
        await client.RequestAsync("$publish", $$"""{"channel":{{producer.GetProperty("channel").GetInt32()}},"messages":[{"payload":"one"}]}""");
    }
}
