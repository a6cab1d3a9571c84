using System.Collections.Concurrent;
using Danube.Fast.AdminCli;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Cli.Tests;

/// <summary><c>cluster export</c> and <c>import</c> against a broker that cannot say everything, and with files that lack something.</summary>
public sealed class TransferTests : IDisposable
{
    private const string OneTopic = """{"version":1,"namespaces":[],"topics":[{"topic":"/a/b","subscriptions":[{"name":"s","type":"shared","start":"latest"}]}]}""";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("danube-transfer-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task What_the_broker_cannot_say_now_is_not_taken_for_missing()
    {
        var changes = new ConcurrentQueue<string>();
        await using WebApplication broker = await StartAsync(503, changes);
        string file = Path.Combine(_folder.FullName, "all.json");
        await File.WriteAllTextAsync(file, OneTopic);
        (int exitCode, string output, _) = await RunAsync(broker, $"cluster import {file}");
        Assert.Equal(AdminCommandLine.Failure, exitCode);
        Assert.Contains("0 made, 0 were there, 2 failed", output, StringComparison.Ordinal);
        Assert.Empty(changes);
    }

    [Fact]
    public async Task What_a_file_does_not_say_of_a_topic_is_left_to_the_broker()
    {
        var changes = new ConcurrentQueue<string>();
        await using WebApplication broker = await StartAsync(404, changes);
        string file = Path.Combine(_folder.FullName, "all.json");
        await File.WriteAllTextAsync(file, OneTopic);
        (int exitCode, string output, string error) = await RunAsync(broker, $"cluster import {file}");
        Assert.True(exitCode == AdminCommandLine.Success, error + output);
        Assert.Contains("2 made, 0 were there, 0 failed", output, StringComparison.Ordinal);
        Assert.Equal(2, changes.Count);
        Assert.Contains(changes, c => c.StartsWith("POST ", StringComparison.Ordinal) && c.Contains("/a/b", StringComparison.Ordinal) && !c.Contains("durability", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_former_export_is_replaced_by_a_complete_one_only()
    {
        await using WebApplication broker = await StartAsync(200, []);
        string file = Path.Combine(_folder.FullName, "all.json");
        await File.WriteAllTextAsync(file, "former");

        // Nothing can be written beside it.
        Directory.CreateDirectory(file + ".new");
        Assert.Equal(AdminCommandLine.Failure, (await RunAsync(broker, $"cluster export {file}")).ExitCode);
        Assert.Equal("former", await File.ReadAllTextAsync(file));
        Directory.Delete(file + ".new");
        Assert.Equal(AdminCommandLine.Success, (await RunAsync(broker, $"cluster export {file}")).ExitCode);
        Assert.Contains("topics", await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        Assert.Equal([file], Directory.GetFiles(_folder.FullName));
    }

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(WebApplication broker, string line) =>
        UsageTests.RunAsync(AdminCommandLine.RunAsync, line + " --url " + broker.Urls.Single());

    /// <summary>Answers every question with this status, and takes every change.</summary>
    private static async Task<WebApplication> StartAsync(int status, ConcurrentQueue<string> changes)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.Run(async context =>
        {
            if (context.Request.Method == HttpMethods.Get)
            {
                context.Response.StatusCode = status;
                await context.Response.WriteAsync(status == 200 ? OneTopic : """{"message":"No."}""");
                return;
            }

            using var reader = new StreamReader(context.Request.Body);
            changes.Enqueue($"{context.Request.Method} {context.Request.Path} {await reader.ReadToEndAsync()}");
        });
        await app.StartAsync();
        return app;
    }
}
