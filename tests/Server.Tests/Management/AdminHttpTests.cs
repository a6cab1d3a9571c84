using System.Net;
using System.Text;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>Policies, subscriptions and messages over the HTTP admin API.</summary>
public sealed class AdminHttpTests
{
    private const string Topic = "/admin/v1/topics/a/t";

    [Fact]
    public async Task A_policy_is_shown_with_what_holds_and_replaced_as_a_whole()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        await SendAsync(http, HttpMethod.Post, "/admin/v1/topics", """{"topic":"/a/t","durability":"memory","max_producers":3}""", HttpStatusCode.Created);
        await SendAsync(http, HttpMethod.Put, "/admin/v1/namespaces/a", """{"max_consumers":4,"max_topics":5}""");
        JsonElement policy = await SendAsync(http, HttpMethod.Get, Topic + "/policy");
        Assert.Equal("""{"max_producers":3}""", policy.GetProperty("policy").GetRawText());
        JsonElement effective = policy.GetProperty("effective");
        Assert.Equal((3, 4, 0L), (effective.GetProperty("max_producers").GetInt32(), effective.GetProperty("max_consumers").GetInt32(), effective.GetProperty("retention_ms").GetInt64()));
        policy = await SendAsync(http, HttpMethod.Put, Topic + "/policy", """{"max_message_bytes":9}""");
        Assert.Equal("""{"max_message_bytes":9}""", policy.GetProperty("policy").GetRawText());
        Assert.Equal(0, policy.GetProperty("effective").GetProperty("max_producers").GetInt32());
        Assert.Equal("refuse", policy.GetProperty("effective").GetProperty("backlog_quota_action").GetString());

        Assert.Equal(HttpStatusCode.BadRequest, (await http.PutAsync(Topic + "/policy", Json("""{"max_message_bytes":-9}"""))).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await http.PostAsync("/admin/v1/topics", Json("""{"topic":null}"""))).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await http.PutAsync(Topic + "/policy", Json("""{"topic":"/a/t"}"""))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.PutAsync("/admin/v1/topics/a/none/policy", Json("{}"))).StatusCode);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await http.PutAsync(Topic + "/policy", new StringContent("{}"))).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await http.PutAsync("/admin/v1/namespaces/a", Json("""{"namespace":"b"}"""))).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await http.PutAsync("/admin/v1/namespaces/a%20b", Json("{}"))).StatusCode);

        JsonElement ns = await SendAsync(http, HttpMethod.Get, "/admin/v1/namespaces/a");
        Assert.Equal((5, 4), (ns.GetProperty("max_topics").GetInt32(), ns.GetProperty("max_consumers").GetInt32()));
        JsonElement all = (await SendAsync(http, HttpMethod.Get, "/admin/v1/namespaces")).GetProperty("namespaces");
        Assert.Equal(("a", 1), (all[0].GetProperty("namespace").GetString(), all[0].GetProperty("topics").GetInt32()));
    }

    [Fact]
    public async Task Subscriptions_are_shown_moved_and_removed()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        using RawClient client = await broker.HelloAsync();
        await client.SubscribeAsync("/a/t", durability: "os");
        await client.PublishAsync("/a/t", "os", "0", "1", "2", "3");
        JsonElement list = (await SendAsync(http, HttpMethod.Get, Topic + "/subscriptions")).GetProperty("subscriptions");
        Assert.Equal(("s", 4), (list[0].GetProperty("name").GetString(), list[0].GetProperty("backlog").GetInt32()));
        JsonElement one = await SendAsync(http, HttpMethod.Get, Topic + "/subscriptions/s");
        Assert.Equal("c", one.GetProperty("consumers")[0].GetProperty("name").GetString());
        Assert.Equal(30_000, one.GetProperty("policy").GetProperty("ack_timeout_ms").GetInt32());
        Assert.Equal(2, (await SendAsync(http, HttpMethod.Post, Topic + "/subscriptions/s/skip", """{"count":2}""")).GetProperty("skipped").GetInt32());
        JsonElement messages = (await SendAsync(http, HttpMethod.Get, Topic + "/peek?subscription=s&count=10")).GetProperty("messages");
        Assert.Equal(["2", "3"], messages.EnumerateArray().Select(m => m.GetProperty("payload").GetString()));
        Assert.Equal("1", (await SendAsync(http, HttpMethod.Get, Topic + "/peek?offset=1")).GetProperty("messages")[0].GetProperty("payload").GetString());
        Assert.Equal(4, (await SendAsync(http, HttpMethod.Post, Topic + "/subscriptions/s/purge", "{}")).GetProperty("mark_delete").GetInt32());
        Assert.Equal(1, (await SendAsync(http, HttpMethod.Post, Topic + "/subscriptions/s/seek", """{"to":"offset:1"}""")).GetProperty("mark_delete").GetInt32());
        await SendAsync(http, HttpMethod.Post, Topic + "/purge", "{}");
        Assert.Equal(4, (await DataPathTests.DescribeAsync(client, "/a/t")).Subscriptions[0].MarkDelete);
        await SendAsync(http, HttpMethod.Delete, Topic + "/subscriptions/s");
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(Topic + "/subscriptions/s")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.DeleteAsync(Topic + "/subscriptions/s")).StatusCode);
    }

    [Fact]
    public async Task A_subscription_of_a_partitioned_topic_is_removed_from_all_partitions()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        using RawClient client = await broker.HelloAsync();
        await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "memory", Partitions = 2 });
        await client.SubscribeAsync("/a/t-part-1");
        await SendAsync(http, HttpMethod.Delete, Topic + "/subscriptions/s");
        Assert.Empty((await SendAsync(http, HttpMethod.Get, Topic + "/subscriptions")).GetProperty("subscriptions").EnumerateArray());
    }

    [Theory]
    [InlineData("GET", "/peek?count=x", 400)]
    [InlineData("GET", "/peek?offset=-1", 400)]
    [InlineData("GET", "/peek?count=4294967297", 400)]
    [InlineData("GET", "/peek?subscription=none", 404)]
    [InlineData("GET", "/purge", 405)]
    [InlineData("POST", "/purge", 415)]
    [InlineData("DELETE", "/policy", 405)]
    [InlineData("GET", "/subscriptions/none/skip", 405)]
    [InlineData("POST", "/subscriptions/none/skip", 404)]
    [InlineData("POST", "/subscriptions/none/seek", 404)]
    [InlineData("POST", "/subscriptions/none/else", 404)]
    [InlineData("GET", "/else", 404)]
    [InlineData("GET", "/subscriptions/a/b/c", 404)]
    public async Task Mistakes_are_told_by_their_status(string method, string path, int status)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        await SendAsync(http, HttpMethod.Post, "/admin/v1/topics", """{"topic":"/a/t","durability":"memory"}""", HttpStatusCode.Created);
        var request = new HttpRequestMessage(new HttpMethod(method), Topic + path)
        {
            Content = status == 415 ? new StringContent("{}") : Json(path.EndsWith("skip", StringComparison.Ordinal) ? """{"count":1}""" : "{}"),
        };
        using HttpResponseMessage response = await http.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        using JsonDocument body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.NotEmpty(body.RootElement.GetProperty("message").GetString()!);
    }

    private static async Task<JsonElement> SendAsync(HttpClient http, HttpMethod method, string path, string? body = null, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using HttpResponseMessage response = await http.SendAsync(new HttpRequestMessage(method, path) { Content = body is null ? null : Json(body) });
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(expected == response.StatusCode, $"{(int)response.StatusCode} {text}");
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
