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

    [Theory]
    [InlineData("\"type\":\"response\",\"payload\":\"two \\\"lines\\\"\\nof tea\"", "two \"lines\"\nof tea\n")]
    [InlineData("\"type\":\"response\",\"payload\":{\"tea\":[1,2]}", "{\"tea\":[1,2]}\n")]
    public async Task The_answer_of_a_client_that_speaks_JSON_lines_is_shown_as_any_other(string answer, string shown)
    {
        using LineSpeaker speaker = await LineSpeaker.ConnectAsync(broker.Url, NewName());
        Task answering = speaker.AnswerAsync(answer);
        CliResult said = await broker.RunCliAsync($"request {speaker.Name} say --payload hello --name asker");
        await answering;
        Assert.Equal((0, shown, ""), (said.ExitCode, said.Text, said.Error));
    }

    [Theory]
    [InlineData("\"type\":\"error\",\"error\":\"No tea today.\"", "No tea today.")]
    [InlineData("\"type\":\"error\",\"error\":\"Busy.\",\"payload\":{\"error\":\"Busy.\",\"code\":\"unavailable\",\"message\":\"Busy.\"}", "unavailable: Busy.")]
    public async Task An_error_of_the_client_says_whose_it_is(string answer, string sentence)
    {
        using LineSpeaker speaker = await LineSpeaker.ConnectAsync(broker.Url, NewName());
        Task answering = speaker.AnswerAsync(answer);
        CliResult said = await broker.RunCliAsync($"request {speaker.Name} say --name asker");
        await answering;
        Assert.Equal((1, "", $"danube-cli: Client '{speaker.Name}' answers with an error: {sentence}"), (said.ExitCode, said.Text, said.Error.TrimEnd()));
    }

    private static string NewName() => $"lines-{Guid.NewGuid():N}"[..20];
}
