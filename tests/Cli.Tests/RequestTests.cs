using System.Text;
using Danube.Fast.Client;

namespace Danube.Fast.Cli.Tests;

/// <summary>danube-cli asks a client that answers.</summary>
public sealed class RequestTests(Broker broker) : IClassFixture<Broker>
{
    [Fact]
    public async Task The_answer_is_printed_and_an_error_is_a_failure()
    {
        await using DanubeClient answering = await DanubeClient.ConnectAsync(broker.Url, new DanubeClientOptions { ClientName = "echo" });
        using IDisposable echo = answering.OnRequest(
            "say", (request, _) => ValueTask.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(request.Payload.Span) + " to " + request.Source)));
        CliResult said = await broker.RunCliAsync("request echo say --payload hello --name asker");
        Assert.Equal((0, "hello to asker\n", ""), (said.ExitCode, said.Text, said.Error));
        said = await broker.RunCliAsync("request echo say --payload - --encoding hex --name asker", "6869"u8.ToArray());
        Assert.Equal(Convert.ToHexStringLower("hi to asker"u8) + "\n", said.Text);

        CliResult nobody = await broker.RunCliAsync("request nobody say");
        Assert.Equal((1, ""), (nobody.ExitCode, nobody.Text));
        Assert.Contains("unroutable", nobody.Error, StringComparison.Ordinal);
        CliResult nothing = await broker.RunCliAsync("request echo sing");
        Assert.Equal(1, nothing.ExitCode);
        Assert.NotEmpty(nothing.Error);
    }
}
