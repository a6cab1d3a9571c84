using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Danube.Fast.Server.Tests;

/// <summary>/admin/v1/cluster of a broker alone, and the description of the whole port.</summary>
public sealed class ClusterPagesTests
{
    [Fact]
    public async Task A_broker_alone_is_a_cluster_of_one()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        await http.PostAsJsonAsync("/admin/v1/topics", new { topic = "/a/b", partitions = 3 });
        JsonElement status = await http.GetFromJsonAsync<JsonElement>("/admin/v1/cluster/status");
        Assert.Equal(("embedded", 1, 1), (status.GetProperty("meta_store").GetString(), status.GetProperty("leader").GetInt32(), status.GetProperty("answered_by").GetInt32()));
        Assert.Equal(3, status.GetProperty("topics").GetProperty("serving").GetInt32());
        JsonElement me = Assert.Single(status.GetProperty("brokers").EnumerateArray());
        Assert.Equal(("up", "active", 3, broker.Host.NativeEndPoint.ToString()), (me.GetProperty("state").GetString(), me.GetProperty("mode").GetString(), me.GetProperty("topics").GetInt32(), me.GetProperty("native").GetString()));

        JsonElement check = await UntilAsync(http, "/admin/v1/cluster/check", c => c.GetProperty("status").GetString() == "ok");
        Assert.Empty(check.GetProperty("findings").EnumerateArray());

        // What the assignments say is taken up once a second.
        JsonElement rankings = await UntilAsync(http, "/admin/v1/cluster/rankings", r => r.GetProperty("brokers").EnumerateArray().All(b => b.GetProperty("topics").GetInt32() == 3));
        JsonElement first = Assert.Single(rankings.GetProperty("brokers").EnumerateArray());
        Assert.Equal(("weighted_composite", 1, 1, "ranked", 3), (rankings.GetProperty("algorithm").GetString(), first.GetProperty("rank").GetInt32(), first.GetProperty("broker").GetInt32(), first.GetProperty("standing").GetString(), first.GetProperty("topics").GetInt32()));
    }

    [Fact]
    public async Task A_new_topic_is_explained_as_decided_and_a_stranger_as_a_preview()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        await UntilAsync(http, "/admin/v1/cluster/rankings", r => r.GetProperty("brokers")[0].GetProperty("standing").GetString() == "ranked");
        await http.PostAsJsonAsync("/admin/v1/topics", new { topic = "/a/b" });
        JsonElement decided = await UntilAsync(http, "/admin/v1/cluster/explain?topic=/a/b", e => e.GetProperty("kind").GetString() == "decision");
        Assert.Equal((1, 1), (decided.GetProperty("broker").GetInt32(), decided.GetProperty("owner").GetInt32()));
        Assert.NotEmpty(decided.GetProperty("steps").EnumerateArray());
        JsonElement preview = await http.GetFromJsonAsync<JsonElement>("/admin/v1/cluster/explain?topic=/a/no-such");
        Assert.Equal(("preview", 1, false), (preview.GetProperty("kind").GetString(), preview.GetProperty("broker").GetInt32(), preview.TryGetProperty("owner", out _)));
    }

    [Theory]
    [InlineData("/admin/v1/cluster/load-reports?broker=7", "There is no broker 7.")]
    [InlineData("/admin/v1/cluster/load-reports?broker=one", "whole number")]
    [InlineData("/admin/v1/cluster/explain", "?topic=/namespace/name")]
    public async Task What_is_wrong_is_said(string path, string sentence)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        HttpResponseMessage answer = await http.GetAsync(path);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(sentence, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_description_names_is_there()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        JsonElement document = await http.GetFromJsonAsync<JsonElement>("/admin/v1/openapi.json");
        Assert.StartsWith("3.", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        string page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "operations.md"));
        foreach (JsonProperty path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (JsonProperty method in path.Value.EnumerateObject())
            {
                // A body that is no JSON is refused by whatever takes one.
                using var request = new HttpRequestMessage(new HttpMethod(method.Name.ToUpperInvariant()), Fill(path.Name, "x", "1"));
                request.Content = method.Value.TryGetProperty("requestBody", out _) ? new StringContent("no json") : null;
                using HttpResponseMessage answer = await http.SendAsync(request);
                string text = await answer.Content.ReadAsStringAsync();
                Assert.NotEqual(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
                Assert.DoesNotContain("There is nothing at this address", text, StringComparison.Ordinal);
            }

            if (!path.Name.Contains("{subscription}/", StringComparison.Ordinal))
            {
                Assert.Contains(Fill(path.Name.Replace("{namespace}/{topic}", "NS/NAME", StringComparison.Ordinal).Replace("{subscription}", "S", StringComparison.Ordinal), "NS", "ID"), page, StringComparison.Ordinal);
            }
        }
    }

    private static string Fill(string path, string name, string broker) => path.Replace("{broker}", broker, StringComparison.Ordinal)
        .Replace("{namespace}", name, StringComparison.Ordinal).Replace("{topic}", name, StringComparison.Ordinal).Replace("{subscription}", name, StringComparison.Ordinal);

    private static async Task<JsonElement> UntilAsync(HttpClient http, string path, Func<JsonElement, bool> until)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(100));
        while (true)
        {
            JsonElement answer = await http.GetFromJsonAsync<JsonElement>(path, patience.Token);
            if (until(answer))
            {
                return answer;
            }

            await Task.Delay(50, patience.Token);
        }
    }
}
