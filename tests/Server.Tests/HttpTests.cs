using System.Net;
using System.Text;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

public sealed class HttpTests
{
    [Fact]
    public async Task A_running_broker_is_alive_and_ready()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        Assert.Equal("{\"status\":\"ok\",\"checks\":[]}", await http.GetStringAsync("/livez"));
        using JsonDocument ready = JsonDocument.Parse(await http.GetStringAsync("/readyz"));
        Assert.Equal(["not_draining", "log_open", "journal", "file_handles", "disk_space"], ready.RootElement.GetProperty("checks").EnumerateArray().Select(c => c.GetProperty("name").GetString()));
        Assert.All(ready.RootElement.GetProperty("checks").EnumerateArray(), c => Assert.True(c.GetProperty("ok").GetBoolean()));
    }

    [Fact]
    public async Task Topics_are_administered()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        using HttpResponseMessage created = await PostAsync(http, "{\"topic\":\"/a/b\",\"durability\":\"memory\"}");
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal("/a/b", (await JsonAsync(created)).GetProperty("topic").GetString());
        Assert.Equal((HttpStatusCode.Conflict, "topic_exists"), await FailureAsync(await PostAsync(http, "{\"topic\":\"/a/b\"}")));
        Assert.Equal((HttpStatusCode.BadRequest, "bad_topic_name"), await FailureAsync(await PostAsync(http, "{\"topic\":\"a\"}")));
        Assert.Equal((HttpStatusCode.BadRequest, "bad_request"), await FailureAsync(await PostAsync(http, "{\"topics\":\"a\"}")));
        Assert.Equal((HttpStatusCode.BadRequest, "bad_request"), await FailureAsync(await PostAsync(http, "nothing")));
        Assert.Equal((HttpStatusCode.UnsupportedMediaType, "bad_request"), await FailureAsync(await http.PostAsync("/admin/v1/topics", new StringContent("{}"))));

        using HttpResponseMessage list = await http.GetAsync("/admin/v1/topics?namespace=a");
        Assert.Single((await JsonAsync(list)).GetProperty("topics").EnumerateArray());
        using HttpResponseMessage none = await http.GetAsync("/admin/v1/topics?namespace=x");
        Assert.Empty((await JsonAsync(none)).GetProperty("topics").EnumerateArray());
        using HttpResponseMessage one = await http.GetAsync("/admin/v1/topics/a/b");
        Assert.Equal("memory", (await JsonAsync(one)).GetProperty("durability").GetString());

        Assert.Equal(HttpStatusCode.OK, (await http.DeleteAsync("/admin/v1/topics/a/b")).StatusCode);
        Assert.Equal((HttpStatusCode.NotFound, "topic_not_found"), await FailureAsync(await http.DeleteAsync("/admin/v1/topics/a/b")));
        Assert.Equal((HttpStatusCode.NotFound, "topic_not_found"), await FailureAsync(await http.GetAsync("/admin/v1/topics/a/b")));
    }

    [Fact]
    public async Task The_broker_describes_itself()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        using HttpResponseMessage response = await http.GetAsync("/admin/v1/brokers");
        JsonElement self = Assert.Single((await JsonAsync(response)).GetProperty("brokers").EnumerateArray());
        Assert.Equal(("test", "ready"), (self.GetProperty("name").GetString(), self.GetProperty("state").GetString()));
        Assert.Equal(broker.Host.NativeEndPoint.ToString(), self.GetProperty("native").GetString());
    }

    [Fact]
    public async Task Unknown_addresses_and_methods_say_what_there_is()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        using HttpResponseMessage unknown = await http.GetAsync("/nothing");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Contains("/readyz", await unknown.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await http.DeleteAsync("/metrics")).StatusCode);
        using HttpResponseMessage large = await PostAsync(http, new string(' ', 100_000));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
    }

    [Fact]
    public async Task Metrics_show_what_was_done()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/ns/t");
        await client.SendAsync(Frames.Publish(producer, 1, "one"u8.ToArray(), "two"u8.ToArray()));
        await client.ReceiveAsync(FrameType.PublishAck);
        Assert.Equal(2, (await DataPathTests.ReadAsync(client, "/ns/t", 2)).Count);
        await client.RequestAsync(Commands.DeleteTopic, new TopicRequest { Topic = "/no/such" }, ControlJson.Default.TopicRequest);

        string text = await http.GetStringAsync("/metrics");
        MetricPage.Parse(text);
        Assert.Contains("danube_topic_messages_in_total{namespace=\"ns\",topic=\"/ns/t\",partition=\"\"} 2\n", text);
        Assert.Contains("danube_topic_messages_out_total{namespace=\"ns\",topic=\"/ns/t\",partition=\"\"} 2\n", text);
        Assert.Contains("danube_topic_publish_acks_total{namespace=\"ns\",topic=\"/ns/t\",partition=\"\"} 1\n", text);
        Assert.Contains("danube_topic_delivers_total{namespace=\"ns\",topic=\"/ns/t\",partition=\"\"} 1\n", text);
        Assert.Contains("danube_topic_stale_acks_total{namespace=\"ns\",topic=\"/ns/t\",partition=\"\"} 0\n", text);
        Assert.Contains("danube_topic_backlog_messages{namespace=\"ns\",topic=\"/ns/t\",subscription=\"s\",reliable=\"false\"} 0\n", text);
        Assert.Contains("danube_sub_pending_messages{namespace=\"ns\",topic=\"/ns/t\",subscription=\"s\"} 2\n", text);
        Assert.Contains("danube_durability_info{topic=\"/ns/t\",class=\"memory\"} 1\n", text);
        Assert.Contains("danube_producer_create_total{namespace=\"ns\",topic=\"/ns/t\",result=\"ok\",error_type=\"\"} 1\n", text);
        Assert.Contains("danube_consumer_subscribe_total{namespace=\"ns\",topic=\"/ns/t\",subscription=\"s\",sub_type=\"exclusive\",result=\"ok\"} 1\n", text);
        Assert.Contains("danube_rpc_errors_total{service=\"broker\",code=\"topic_not_found\"} 1\n", text);
        Assert.Contains("danube_broker_rpc_total{method=\"delete_topic\",result=\"error\"} 1\n", text);
        Assert.Contains("danube_protocol_messages_total{direction=\"in\",type=\"publish\"} 1\n", text);
        Assert.Contains("danube_protocol_messages_total{direction=\"out\",type=\"deliver\"} 1\n", text);
        Assert.Contains("danube_connections 1\n", text);
        Assert.Contains("dotnet_gc_allocated_bytes_total ", text);
        Assert.Contains("danube_wal_fsync_total ", text);
    }

    [Fact]
    public async Task Beyond_the_limit_topics_are_summed()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Metrics = new MetricsOptions { MaxTopics = 1 } });
        using HttpClient http = broker.Http();
        using RawClient client = await broker.HelloAsync();
        foreach ((string topic, int size) in new[] { ("/ns/big", 1000), ("/ns/small", 10), ("/ns/tiny", 5) })
        {
            CreateProducerReply producer = await client.CreateProducerAsync(topic);
            await client.SendAsync(Frames.Publish(producer, 1, new byte[size]));
            await client.ReceiveAsync(FrameType.PublishAck);
        }

        string text = await http.GetStringAsync("/metrics");
        MetricPage.Parse(text);
        Assert.Contains("danube_topic_messages_in_total{namespace=\"ns\",topic=\"/ns/big\",partition=\"\"} 1\n", text);
        Assert.Contains("danube_topic_messages_in_total{namespace=\"_other\",topic=\"_other\",partition=\"\"} 2\n", text);
        Assert.DoesNotContain("danube_topic_messages_in_total{namespace=\"ns\",topic=\"/ns/tiny\"", text);
    }

    [Fact]
    public async Task Series_of_a_topic_go_with_it()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        using RawClient client = await broker.HelloAsync();
        await client.CreateProducerAsync("/ns/gone");
        await http.DeleteAsync("/admin/v1/topics/ns/gone");
        Assert.DoesNotContain("/ns/gone", await http.GetStringAsync("/metrics"));
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient http, string json) =>
        http.PostAsync("/admin/v1/topics", new StringContent(json, Encoding.UTF8, "application/json"));

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage response)
    {
        using JsonDocument document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return document.RootElement.Clone();
    }

    private static async Task<(HttpStatusCode Status, string? Code)> FailureAsync(HttpResponseMessage response)
    {
        using (response)
        {
            return (response.StatusCode, (await JsonAsync(response)).GetProperty("code").GetString());
        }
    }
}
