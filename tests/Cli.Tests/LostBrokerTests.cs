using System.Diagnostics;

namespace Danube.Fast.Cli.Tests;

/// <summary>A broker that goes away under a running command.</summary>
public sealed class LostBrokerTests
{
    [Theory(Timeout = 300_000)]
    [InlineData("consume --topic /t/lost")]
    [InlineData("produce --topic /t/lost")]
    public async Task The_person_at_the_terminal_is_told(string command)
    {
        using Process running = await StartAndLoseBrokerAsync(command);
        try
        {
            string? said = await CliResult.NextAsync(running.StandardError);
            Assert.Contains("is lost", said, StringComparison.Ordinal);
            Assert.False(running.HasExited, "it waits for the broker");
        }
        finally
        {
            running.Kill();
            await running.WaitForExitAsync();
        }
    }

    [Theory(Timeout = 300_000)]
    [InlineData("consume --topic /t/lost")]
    [InlineData("produce --topic /t/lost")]
    public async Task After_Ctrl_C_a_broker_that_is_gone_holds_nobody_up(string command)
    {
        using Process running = await StartAndLoseBrokerAsync(command);
        try
        {
            Assert.Contains("is lost", await CliResult.NextAsync(running.StandardError), StringComparison.Ordinal);
            if (command.StartsWith("produce", StringComparison.Ordinal))
            {
                await running.StandardInput.WriteAsync("a line that nobody stores\n");
                await running.StandardInput.FlushAsync();
            }

            using Process interrupt = Process.Start("kill", ["-INT", running.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            await running.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(CliCommandLine.Interrupted, running.ExitCode);
        }
        finally
        {
            running.Kill();
            await running.WaitForExitAsync();
        }
    }

    // Runs the command until it has used the broker, which then goes away.
    private static async Task<Process> StartAndLoseBrokerAsync(string command)
    {
        var broker = new Broker();
        await broker.InitializeAsync();
        Process running = broker.StartCli(command);
        try
        {
            await UntilConnectedAsync(broker);
        }
        catch
        {
            running.Kill();
            running.Dispose();
            throw;
        }
        finally
        {
            await broker.DisposeAsync();
        }

        return running;
    }

    // The command makes the topic; with its producer or subscription it is there for good.
    private static async Task UntilConnectedAsync(Broker broker)
    {
        string shown;
        do
        {
            shown = (await broker.RunCliAsync("topics describe /t/lost")).Text;
        }
        while (!shown.Contains("producers   1", StringComparison.Ordinal) && !shown.Contains("exclusive", StringComparison.Ordinal));
    }
}
