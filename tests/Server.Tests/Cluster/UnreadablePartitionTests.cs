using System.Net.Http.Json;
using System.Text.Json;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>A broker that begins beside ones of a later version, and cannot read the record of one partition of a topic.</summary>
public sealed class UnreadablePartitionTests
{
    [Fact]
    public async Task The_partition_is_named_by_what_is_said_of_the_whole()
    {
        await using var rig = new ClusterRig();
        await rig.Store.PutAsync(ClusterKeys.Topic("/p/t"), TopicRecords.Encode(new TopicDefinition { Topic = "/p/t", Durability = "memory", Partitions = 2 }));
        await rig.Store.PutAsync(ClusterKeys.Topic("/p/t-part-0"), TopicRecords.Encode(new TopicDefinition { Topic = "/p/t-part-0", Durability = "memory", Partitions = 1, PartitionOf = "/p/t" }));
        await rig.Store.PutAsync(ClusterKeys.Topic("/p/t-part-1"), "{"u8.ToArray());
        RigBroker broker = await rig.StartAsync(1);
        using var http = new HttpClient { BaseAddress = new Uri($"http://{broker.Host.HttpEndPoint}") };
        foreach (string path in (string[])["/stats", "/subscriptions"])
        {
            string reason = "";
            await ClusterRig.UntilAsync(async () =>
            {
                using HttpResponseMessage answer = await http.GetAsync("/admin/v1/topics/p/t" + path);
                JsonElement said = await answer.Content.ReadFromJsonAsync<JsonElement>();
                return said.TryGetProperty("missing", out JsonElement missing)
                    && (reason = missing.EnumerateArray().Where(m => m.GetProperty("topic").GetString() == "/p/t-part-1").Select(m => m.GetProperty("reason").GetString()!).FirstOrDefault("")).Length > 0;
            }, () => "the partition is named");
            Assert.Contains("cannot be read by this broker", reason, StringComparison.Ordinal);
        }
    }
}
