using Danube.Fast.AdminCli;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Cli.Tests;

/// <summary>danube-admin-cli against made-up answers: what a broker of another version, or no broker at all, may send.</summary>
public sealed class AdminAnswersTests
{
    private const string Topic = """
        {"topic":"/a/b","durability":"fsync","partitions":1,"log_start":0,"durable_end":7,"committed_end":8,"size_bytes":900,"producers":2,"state":"ok","new_member":1,
        "subscriptions":[{"name":"s1","type":"exclusive","consumers":1,"mark_delete":3,"backlog":4,"delayed":2,"epoch":1,"blocked":"redelivery_limit"}]}
        """;

    [Fact]
    public async Task Topics_are_listed_as_a_table_or_as_they_came()
    {
        await using WebApplication broker = await StartAsync(200, $$"""{"topics":[{{Topic}},{"topic":"/a/longer.name"}]}""");
        (int exitCode, string output, _) = await RunAsync(broker, "topics list");
        Assert.Equal(AdminCommandLine.Success, exitCode);
        string[] lines = output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["TOPIC", "DURABILITY", "PARTITIONS", "LOG_START", "DURABLE_END", "COMMITTED_END", "SIZE_BYTES", "PRODUCERS", "STATE"], Words(lines[0]));
        Assert.Equal(["/a/b", "fsync", "1", "0", "7", "8", "900", "2", "ok"], Words(lines[1]));
        Assert.Equal(["/a/longer.name"], Words(lines[2]));

        (_, output, _) = await RunAsync(broker, "topics list --output json");
        Assert.Contains("\"new_member\":1", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_topic_is_described_with_its_subscriptions()
    {
        await using WebApplication broker = await StartAsync(200, Topic);
        (_, string output, _) = await RunAsync(broker, "topics describe /a/b");
        string[] lines = output.Split(Environment.NewLine);
        Assert.Contains("durable_end    7", lines);
        Assert.Contains("new_member     1", lines);
        Assert.Contains(lines, l => Words(l) is ["s1", "exclusive", "1", "3", "4", "2", "1", "redelivery_limit"]);

        await using WebApplication other = await StartAsync(200, """{"topic":"/a/b"}""");
        (_, output, _) = await RunAsync(other, "topics describe /a/b");
        Assert.Contains("no subscriptions", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_are_confirmed()
    {
        await using WebApplication broker = await StartAsync(200, "");
        (int exitCode, string output, _) = await RunAsync(
            broker, "topics create /a/b --durability os --partitions 2 --retention-ms 1000 --retention-bytes 5 --throughput-mbps 2.5 --size-gb 1 --low-latency --cpu-intensive");
        Assert.Equal((AdminCommandLine.Success, "created /a/b"), (exitCode, output.Trim()));
        (exitCode, output, _) = await RunAsync(broker, "topics recreate /a/b --lose-data");
        Assert.Equal((AdminCommandLine.Success, "recreated /a/b"), (exitCode, output.Trim()));
        (exitCode, _, string error) = await RunAsync(broker, "topics recreate /a/b");
        Assert.Equal(AdminCommandLine.Usage, exitCode);
        Assert.Contains("--lose-data", error, StringComparison.Ordinal);
        (exitCode, output, _) = await RunAsync(broker, "topics delete /a/b");
        Assert.Equal((AdminCommandLine.Success, "deleted /a/b"), (exitCode, output.Trim()));
    }

    [Fact]
    public async Task Brokers_are_listed_with_the_members_they_have()
    {
        await using WebApplication broker = await StartAsync(200, """{"brokers":[{"name":"b1","topics":3,"disks":[1]},{"name":"b2"}]}""");
        (_, string output, _) = await RunAsync(broker, "brokers list");
        string[] lines = output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([["NAME", "TOPICS"], ["b1", "3"], ["b2"]], lines.Select(Words));
    }

    [Theory]
    [InlineData(404, """{"code":"topic_not_found","message":"There is no topic /a/b."}""", "There is no topic /a/b. (topic_not_found)")]
    [InlineData(400, """{"error":"No."}""", "No.")]
    [InlineData(500, "<html>", "500")]
    [InlineData(502, "{}", "502")]
    [InlineData(200, "<html>", "JSON")]
    public async Task Refusals_are_failures_with_a_sentence(int status, string body, string named)
    {
        await using WebApplication broker = await StartAsync(status, body);
        (int exitCode, string output, string error) = await RunAsync(broker, "topics describe /a/b");
        Assert.Equal(AdminCommandLine.Failure, exitCode);
        Assert.Empty(output);
        Assert.Contains(named, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200, 200, 0, "")]
    [InlineData(200, 503, 1, "not ready")]
    [InlineData(503, 503, 1, "not alive")]
    public async Task Health_is_good_only_when_all_of_it_is(int live, int ready, int expected, string named)
    {
        await using WebApplication broker = await StartAsync(path => (path == "/livez" ? live : ready, "text"));
        (int exitCode, string output, string error) = await RunAsync(broker, "health");
        Assert.Equal(expected, exitCode);
        Assert.Contains("readyz", output, StringComparison.Ordinal);
        Assert.Contains(named, error, StringComparison.Ordinal);
        (_, output, _) = await RunAsync(broker, "health -o json");
        Assert.Equal($$"""{"live":{{(live == 200 ? "true" : "false")}},"ready":{{(ready == 200 ? "true" : "false")}}}""", output.Trim());
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(WebApplication broker, string line) =>
        UsageTests.RunAsync(AdminCommandLine.RunAsync, line + " --url " + broker.Urls.Single());

    private static Task<WebApplication> StartAsync(int status, string body) => StartAsync(_ => (status, body));

    private static async Task<WebApplication> StartAsync(Func<string, (int Status, string Body)> answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.Run(async context =>
        {
            (int status, string body) = answer(context.Request.Path);
            context.Response.StatusCode = status;
            await context.Response.WriteAsync(body);
        });
        await app.StartAsync();
        return app;
    }
}
