using System.Text.Json;
using Danube.Fast.AdminCli;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Cli.Tests;

/// <summary><c>cluster</c> and <c>brokers</c> of danube-admin-cli: exit codes and tables against made-up answers, and all of them against a real broker.</summary>
public sealed class AdminClusterTests(Broker broker) : IClassFixture<Broker>
{
    private const string Reports = """
        {"reports":[{"broker":2,"standing":"ranked","age_seconds":3.1,"bytes":900,"report":{"topics_len":7,"total_throughput_mbps":12.345,"total_disk_usage_gb":1.5,
        "resources_usage":[{"resource":"CPU","usage":41.26},{"resource":"Memory","usage":70}]}},{"broker":3,"report":{"topics_len":0,"resources_usage":[]}}]}
        """;

    [Fact]
    public async Task Load_reports_have_the_columns_of_the_specification()
    {
        await using WebApplication made = await StartAsync(200, Reports);
        (int exitCode, string output, _) = await RunAsync(made, "cluster load-reports");
        Assert.Equal(AdminCommandLine.Success, exitCode);
        Assert.Equal(["Broker  Topics  CPU%  Memory%  Throughput  Disk GB", "2       7       41.3  70.0     12.35       1.50", "3       0       -     -        -           -"], Lines(output));
        foreach (string format in new[] { "--format json", "--output json" })
        {
            (_, output, _) = await RunAsync(made, "cluster load-reports " + format);
            Assert.Equal(7, JsonDocument.Parse(output).RootElement.GetProperty("reports")[0].GetProperty("report").GetProperty("topics_len").GetInt32());
        }
    }

    [Theory]
    [InlineData("cluster load-reports --format yaml", "yaml")]
    [InlineData("cluster load-reports --broker one", "one")]
    [InlineData("cluster explain", "--topic")]
    [InlineData("cluster explain --topic a", "no topic name")]
    [InlineData("topics peek /a/b --count x", "'x' for option '--count': it takes a whole number.")]
    [InlineData("brokers unload", "broker")]
    [InlineData("brokers unload abc", "'abc' is no id of a broker")]
    public async Task Wrong_usage_is_said_before_anything_is_sent(string line, string named)
    {
        (int exitCode, _, string error) = await UsageTests.RunAsync(AdminCommandLine.RunAsync, line + " --url http://127.0.0.1:1");
        Assert.Equal(AdminCommandLine.Usage, exitCode);
        Assert.Contains(named, error, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("ok", 0)]
    [InlineData("degraded", 1)]
    [InlineData("broken", 2)]
    [InlineData("of a later version", 2)]
    public async Task A_check_tells_by_its_exit_code(string status, int expected)
    {
        string json = $$"""{"status":"{{status}}","findings":[{"severity":"degraded","sentence":"Broker 2 is draining."}]}""";
        await using WebApplication made = await StartAsync(200, json);
        (int exitCode, string output, _) = await RunAsync(made, "cluster check");
        Assert.Equal(expected, exitCode);
        Assert.Equal([status, "degraded: Broker 2 is draining."], Lines(output));
    }

    [Fact]
    public async Task A_check_that_nobody_answers_is_broken()
    {
        (int exitCode, _, string error) = await UsageTests.RunAsync(AdminCommandLine.RunAsync, "cluster check --url http://127.0.0.1:1");
        Assert.Equal(2, exitCode);
        Assert.Contains("no broker answers", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unload_that_is_not_over_has_an_exit_code_of_its_own()
    {
        await using WebApplication made = await StartAsync(200, """{"broker":2,"mode":"draining","topics":1,"stays":["/a/b"]}""");
        (int exitCode, string output, _) = await RunAsync(made, "brokers unload 2");
        Assert.Equal(3, exitCode);
        Assert.Equal(["broker 2: draining, 1 topics", "/a/b  stays: its data is here"], Lines(output));

        await using WebApplication done = await StartAsync(200, """{"broker":2,"mode":"active","topics":4,"stays":["/a/b"]}""");
        (exitCode, output, _) = await RunAsync(done, "brokers activate 2");
        Assert.Equal(0, exitCode);
        Assert.Equal(["broker 2: active, 4 topics"], Lines(output));
    }

    [Fact]
    public async Task What_would_be_decided_now_is_not_shown_as_where_a_topic_is()
    {
        await using WebApplication made = await StartAsync(200, """{"topic":"/a/b","kind":"preview","broker":3,"steps":[],"candidates":[]}""");
        Assert.Equal(["/a/b: no decision about it is kept; a topic placed now would go to broker 3"], Lines((await RunAsync(made, "cluster explain --topic /a/b")).Output));
    }

    [Fact]
    public async Task Where_a_topic_is_now_stands_beside_where_it_was_put()
    {
        await using WebApplication made = await StartAsync(200, """{"topic":"/a/b","kind":"decision","broker":3,"owner":2,"at":"2026-11-22T01:05:07.1234567+01:00","steps":[],"candidates":[]}""");
        Assert.Equal(["/a/b: broker 3 (decided 2026-11-22 00:05:07Z)", "it is with broker 2 now"], Lines((await RunAsync(made, "cluster explain --topic /a/b")).Output));
    }

    [Fact]
    public async Task Times_are_for_people()
    {
        await using WebApplication made = await StartAsync(200, """{"meta_store":"etcd","leader":1,"leads_since":"2026-11-22T00:05:07.1234567+00:00","brokers":[],"topics":{},"metadata":{}}""");
        Assert.Equal("leader    broker 1 since 2026-11-22 00:05:07Z", Lines((await RunAsync(made, "cluster status")).Output)[0]);
        await using WebApplication later = await StartAsync(200, """{"meta_store":"etcd","leader":1,"leads_since":"of a later version","brokers":[],"topics":{},"metadata":{}}""");
        Assert.Equal("leader    broker 1 since of a later version", Lines((await RunAsync(later, "cluster status")).Output)[0]);
    }

    [Fact]
    public async Task Health_shows_what_a_good_check_has_to_say()
    {
        await using WebApplication made = await StartAsync(200, """{"checks":[{"name":"cluster","ok":true,"reason":"no proof for 9 s"},{"name":"journal","ok":true,"reason":""}],"failed":[],"damaged":[]}""");
        (int exitCode, string output, _) = await RunAsync(made, "health");
        Assert.Equal(0, exitCode);
        Assert.Equal(["livez   ok", "readyz  ok", "        cluster: no proof for 9 s"], Lines(output));
    }

    [Fact]
    public async Task Who_takes_the_port_of_HTTP_for_the_native_one_is_told_so()
    {
        await using WebApplication made = await StartAsync(200, "{}");
        (int exitCode, _, string error) = await UsageTests.RunAsync(CliCommandLine.RunAsync, "topics list --url danube://127.0.0.1:" + new Uri(made.Urls.Single()).Port);
        Assert.Equal(CliCommandLine.Failure, exitCode);
        Assert.Contains("speaks HTTP: take the native port", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_removed_broker_has_no_mode_to_show()
    {
        await using WebApplication made = await StartAsync(200, """{"broker":3,"topics":0,"stays":[]}""");
        Assert.Equal(["broker 3: removed"], Lines((await RunAsync(made, "brokers remove 3")).Output));
    }

    [Fact]
    public async Task A_real_broker_answers_all_of_them()
    {
        await broker.RunCliAsync("produce --topic /load/t --message m");
        foreach (string command in new[] { "cluster status", "cluster rankings", "cluster explain --topic /load/t", "cluster load-reports", "topics stats /load/t" })
        {
            (int exitCode, string output, string error) = await UsageTests.RunAsync(AdminCommandLine.RunAsync, $"{command} --url {broker.Http}");
            Assert.True(exitCode == 0 && output.Length > 0, command + ": " + error);
            (_, output, _) = await UsageTests.RunAsync(AdminCommandLine.RunAsync, $"{command} -o json --url {broker.Http}");
            JsonDocument.Parse(output).Dispose();
        }

        (int status, _, string refusal) = await UsageTests.RunAsync(AdminCommandLine.RunAsync, $"cluster load-reports --broker 99 --url {broker.Http}");
        Assert.Equal(AdminCommandLine.Failure, status);
        Assert.Contains("There is no broker 99.", refusal, StringComparison.Ordinal);
        (status, _, refusal) = await UsageTests.RunAsync(AdminCommandLine.RunAsync, $"brokers unload 1 --url {broker.Http}");
        Assert.Equal(AdminCommandLine.Failure, status);
        Assert.Contains("no part of a cluster", refusal, StringComparison.Ordinal);
    }

    private static string[] Lines(string output) => output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(WebApplication made, string line) =>
        UsageTests.RunAsync(AdminCommandLine.RunAsync, line + " --url " + made.Urls.Single());

    private static async Task<WebApplication> StartAsync(int status, string body)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.Run(async context =>
        {
            context.Response.StatusCode = status;
            await context.Response.WriteAsync(body);
        });
        await app.StartAsync();
        return app;
    }
}
