using Danube.Fast.AdminCli;

namespace Danube.Fast.Cli.Tests;

/// <summary>Wrong usage is told apart from failure: exit code 2, and a sentence on the error output that names the option.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("", "command")]
    [InlineData("produce", "--topic")]
    [InlineData("produce --topic nope", "'nope'")]
    [InlineData("produce --topic /a/b --file /no/such/file", "/no/such/file")]
    [InlineData("produce --topic /a/b --message x --file -", "--message")]
    [InlineData("produce --topic /a/b --key-from x", "--key-from")]
    [InlineData("produce --topic /a/b --rate 0", "--rate")]
    [InlineData("produce --topic /a/b --batch 0", "--batch")]
    [InlineData("produce --topic /a/b --count 0", "--count")]
    [InlineData("produce --topic /a/b --compression zip", "zip")]
    [InlineData("produce --topic /a/b --durability safe", "safe")]
    [InlineData("produce --topic /a/b --url http://x", "--url")]
    [InlineData("consume --topic /a/b --from start", "--from")]
    [InlineData("consume --topic /a/b --format {x}", "{x}")]
    [InlineData("consume --topic /a/b -s s --type mine", "mine")]
    [InlineData("consume --topic /a/b --until-and", "--until-and")]
    [InlineData("produce --topic /a/b --delay soon", "--delay")]
    [InlineData("produce --topic /a/b --delay 50d", "49 days")]
    [InlineData("produce --topic /a/b --ttl -1", "--ttl")]
    [InlineData("produce --topic /a/b --ttl 0", "above 0")]
    [InlineData("consume --topic /a/b --type failover", "--subscription")]
    [InlineData("consume --topic /a/b --on-failure drop", "--subscription")]
    [InlineData("consume --topic /a/b -s s --on-failure explode", "explode")]
    [InlineData("consume --topic /a/b -s s --max-redeliveries 0", "--max-redeliveries")]
    [InlineData("consume --topic /a/b -s s --max-redeliveries 65536", "65535")]
    [InlineData("consume --topic /a/b -s s --ack-timeout x", "--ack-timeout")]
    [InlineData("consume --topic /a/b -s s --nack-delay 1s --no-ack", "--nack-delay")]
    [InlineData("produce --topic /a/b --rate fast", "'fast' for option '--rate': it takes a number.")]
    [InlineData("produce --topic /a/b --count many", "'many' for option '--count': it takes a whole number.")]
    [InlineData("demo --lines x", "'x' for option '--lines': it takes a whole number.")]
    [InlineData("ping --count x", "'x' for option '--count': it takes a whole number.")]
    [InlineData("consume --topic /a/b -s s --type shared --priority 3", "--priority needs --type failover")]
    [InlineData("subscriptions", "command")]
    [InlineData("subscriptions describe /a/b", "subscription")]
    [InlineData("subscriptions seek /a/b s", "--to")]
    [InlineData("subscriptions seek /a/b s --to there", "'there'")]
    [InlineData("subscriptions skip /a/b s --count 0", "--count")]
    [InlineData("subscriptions peek /a/b s --count 101", "100")]
    [InlineData("topics list --watch never", "--watch")]
    [InlineData("topics peek /a/b --offset -1", "--offset")]
    [InlineData("request", "client")]
    [InlineData("request broker ask", "broker")]
    [InlineData("request someone $ask", "$ask")]
    [InlineData("request someone ask --timeout never", "--timeout")]
    [InlineData("bench --size 0", "--size")]
    [InlineData("bench --seconds 0", "--seconds")]
    [InlineData("bench --topic x", "'x'")]
    [InlineData("topics", "command")]
    [InlineData("topics create /a", "'/a'")]
    [InlineData("topics create /a/b --partitions 0", "--partitions")]
    [InlineData("demo /no/such/file", "/no/such/file")]
    [InlineData("demo --lines 0", "--lines")]
    [InlineData("log", "command")]
    [InlineData("log verify", "DIR")]
    [InlineData("log verify /no/such/folder", "/no/such/folder")]
    public async Task Danube_cli_says_what_is_wrong(string line, string named)
    {
        (int exitCode, string output, string error) = await RunAsync(CliCommandLine.RunAsync, line);
        Assert.Equal(CliCommandLine.Usage, exitCode);
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Theory]
    [InlineData("", "command")]
    [InlineData("topics describe x", "'x'")]
    [InlineData("topics create /a/b --durability safe", "safe")]
    [InlineData("--url nope health", "--url")]
    [InlineData("health --output xml", "xml")]
    public async Task Danube_admin_cli_says_what_is_wrong(string line, string named)
    {
        (int exitCode, _, string error) = await RunAsync(AdminCommandLine.RunAsync, line);
        Assert.Equal(AdminCommandLine.Usage, exitCode);
        Assert.Contains(named, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("produce --help")]
    [InlineData("consume --help")]
    [InlineData("topics create --help")]
    [InlineData("ping --help")]
    [InlineData("subscriptions --help")]
    [InlineData("subscriptions seek --help")]
    [InlineData("topics peek --help")]
    [InlineData("bench --help")]
    [InlineData("request --help")]
    [InlineData("demo --help")]
    public async Task Help_is_a_result(string line)
    {
        (int exitCode, string output, string error) = await RunAsync(CliCommandLine.RunAsync, line);
        Assert.Equal(CliCommandLine.Success, exitCode);
        Assert.Contains("Usage:", output, StringComparison.Ordinal);
        Assert.Empty(error);
    }

    [Fact]
    public async Task A_broker_that_is_not_there_is_a_failure()
    {
        using var free = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        free.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0)); // Bound and not listening: connections are refused.
        int port = ((System.Net.IPEndPoint)free.LocalEndPoint!).Port;
        (int exitCode, _, string error) = await RunAsync(CliCommandLine.RunAsync, $"ping --url danube://127.0.0.1:{port}");
        Assert.Equal(CliCommandLine.Failure, exitCode);
        Assert.NotEmpty(error);
        (exitCode, _, error) = await RunAsync(AdminCommandLine.RunAsync, $"health --url http://127.0.0.1:{port}");
        Assert.Equal(AdminCommandLine.Failure, exitCode);
        Assert.Contains("danube server", error, StringComparison.Ordinal);
    }

    internal static async Task<(int ExitCode, string Output, string Error)> RunAsync(
        Func<string[], TextWriter, TextWriter, Task<int>> program, string line)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int exitCode = await program(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), output, error);
        return (exitCode, output.ToString(), error.ToString());
    }
}
