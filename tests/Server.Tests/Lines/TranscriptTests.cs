using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Danube.Fast.Server.Tests.Lines;

/// <summary>The session that docs/protocol.md shows is played with a real broker, line by line.</summary>
public sealed partial class TranscriptTests
{
    [Fact]
    public async Task The_session_of_the_protocol_page_goes_as_it_is_shown()
    {
        string page = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "protocol.md"));
        string[] lines = Transcript().Match(page).Groups["lines"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length >= 15);
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { BrokerName = "broker-1" });
        using LineClient client = await LineClient.ConnectAsync(broker);
        foreach (string line in lines)
        {
            if (line[0] == '>')
            {
                await client.SendAsync(line[2..] + "\n");
                continue;
            }

            string came = (await client.TryReceiveLineAsync())!;
            Assert.True(JsonElement.DeepEquals(JsonDocument.Parse(line[2..]).RootElement, WithoutTimes(came)), $"shown: {line[2..]}\ncame:  {came}");
        }

        await client.AssertEndedAsync();
    }

    private static JsonElement WithoutTimes(string line)
    {
        JsonNode node = JsonNode.Parse(line)!;
        if (node["payload"] is JsonObject payload && payload.ContainsKey("append_time"))
        {
            Assert.True(payload["append_time"]!.GetValue<long>() > 0);
            payload["append_time"] = 0;
            payload["publish_time"] = 0;
        }

        return JsonSerializer.SerializeToElement(node);
    }

    [GeneratedRegex("```lines\n(?<lines>[^`]*)```")]
    private static partial Regex Transcript();
}
