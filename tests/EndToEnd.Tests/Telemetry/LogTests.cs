using System.Net;
using System.Text.Json;
using Danube.Fast.Client;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>The log of a broker process as an operator reads it.</summary>
public sealed class LogTests
{
    [Fact]
    public async Task Lines_are_JSON_with_event_ids_and_each_part_has_its_level()
    {
        await using BrokerProcess broker = await StartAsync(("LOG__FORMAT", "json"), ("LOG__LEVEL", "error"), ("LOG_LEVELS__CONNECTIONS", "debug"), ("LOG_LEVELS__TOPICS", "information"));
        await using (DanubeClient client = await DanubeClient.ConnectAsync(broker.Url))
        {
            await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/log/t" });
            await producer.SendAsync("one"u8.ToArray());
        }

        await broker.StopAsync();
        (string Category, int EventId)[] lines =
        [
            .. broker.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => !l.StartsWith("DANUBE ", StringComparison.Ordinal))
                .Select(l => JsonDocument.Parse(l).RootElement).Select(l => (l.GetProperty("Category").GetString()!, l.GetProperty("EventId").GetInt32())),
        ];
        Assert.Contains(("Danube.Fast.Connections", 11), lines);
        Assert.Contains(("Danube.Fast.Topics", 20), lines);
        Assert.DoesNotContain(lines, l => l.Category == "Danube.Fast.Broker");
        Assert.All(lines, l => Assert.True(l.EventId > 0));
    }

    [Fact]
    public async Task Messages_write_no_lines()
    {
        const int Messages = 2000;
        await using BrokerProcess broker = await StartAsync(("LOG__LEVEL", "trace"));
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/log/t" });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = "/log/t", Subscription = "s", Start = "earliest" });
        int before = broker.Output.Split('\n').Length;
        for (int i = 0; i < Messages; i++)
        {
            await producer.PostAsync("a message"u8.ToArray());
        }

        for (int i = 0; i < Messages; i++)
        {
            consumer.Ack(await consumer.ReceiveAsync());
        }

        await consumer.FlushAcksAsync();
        Assert.InRange(broker.Output.Split('\n').Length - before, 0, 100);
    }

    [Fact]
    public async Task An_error_over_HTTP_has_the_id_of_its_request()
    {
        await using BrokerProcess broker = await StartAsync();
        using var http = new HttpClient();
        Assert.Equal("order-7", await IdAsync("order-7"));
        string own = await IdAsync(null);
        Assert.NotEmpty(own);
        Assert.NotEqual(own, await IdAsync(null));

        // What could break a line of the log is not taken over.
        Assert.NotEqual("a b", await IdAsync("a b"));

        async Task<string> IdAsync(string? given)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{broker.Http}/admin/v1/topics/no/such");
            if (given is not null)
            {
                request.Headers.Add("X-Request-Id", given);
            }

            using HttpResponseMessage response = await http.SendAsync(request);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            using JsonDocument body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
            string id = body.RootElement.GetProperty("request_id").GetString()!;
            Assert.Equal(id, response.Headers.GetValues("X-Request-Id").Single());
            Assert.Equal("topic_not_found", body.RootElement.GetProperty("code").GetString());
            return id;
        }
    }

    private static Task<BrokerProcess> StartAsync(params (string Name, string Value)[] settings) =>
        BrokerProcess.StartAsync(new BrokerOptions { Environment = settings.ToDictionary(s => "DANUBE__" + s.Name, s => s.Value) });
}
