using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>The broker as a process of its own: first line, exit codes, signals.</summary>
public sealed class ProcessTests
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_first_line_names_the_addresses_and_SIGTERM_stops_cleanly()
    {
        using var folder = new TempFolder();
        string data = Path.Combine(folder.Path, "with a blank");
        using var broker = new BrokerProcess("--port", "0", "--http-port", "0", "--data-dir", data);
        Dictionary<string, string> first = await broker.ReadFirstLineAsync();
        Assert.Equal(data, first["data"]);
        Assert.Equal(broker.Process.Id, int.Parse(first["pid"], CultureInfo.InvariantCulture));
        using (RawClient client = await RawClient.ConnectAsync(IPEndPoint.Parse(first["native"])))
        {
            await client.HelloAsync();
            CreateProducerReply producer = await client.CreateProducerAsync("/a/b", durability: "fsync");
            await client.SendAsync(Frames.Publish(producer, 1, "kept"u8.ToArray()));
            await client.ReceiveAsync(FrameType.PublishAck);
        }

        using (var http = new HttpClient())
        {
            Assert.Contains("\"ok\"", await http.GetStringAsync($"http://{first["http"]}/readyz"));
        }

        broker.Signal("TERM");
        Assert.Equal(0, await broker.ExitCodeAsync());

        using var again = new BrokerProcess("--port", "0", "--http-port", "0", "--data-dir", data);
        first = await again.ReadFirstLineAsync();
        using (RawClient client = await RawClient.ConnectAsync(IPEndPoint.Parse(first["native"])))
        {
            await client.HelloAsync();
            Assert.Equal(["kept"], await DataPathTests.ReadAsync(client, "/a/b", 1));
        }

        again.Signal("INT");
        Assert.Equal(0, await again.ExitCodeAsync());
    }

    [Fact]
    public async Task A_broker_told_so_stops_when_its_standard_input_ends()
    {
        using var folder = new TempFolder();
        using var broker = new BrokerProcess("--port", "0", "--http-port", "0", "--data-dir", folder.Path);
        Dictionary<string, string> first = await broker.ReadFirstLineAsync();
        await broker.Process.StandardInput.WriteLineAsync("what comes is ignored");
        await broker.Process.StandardInput.FlushAsync();
        using (var http = new HttpClient())
        {
            Assert.Contains("\"ok\"", await http.GetStringAsync($"http://{first["http"]}/readyz"));
        }

        // What the system does for a starter that ends.
        broker.Process.StandardInput.Close();
        Assert.Equal(0, await broker.ExitCodeAsync());
    }

    [Fact]
    public async Task A_second_signal_ends_a_drain_at_once()
    {
        using var folder = new TempFolder();
        using var broker = new BrokerProcess(new Dictionary<string, string> { ["DANUBE__TIMEOUTS__DRAIN_MS"] = "60000" }, "--port", "0", "--http-port", "0", "--data-dir", folder.Path);
        Dictionary<string, string> first = await broker.ReadFirstLineAsync();
        using RawClient client = await RawClient.ConnectAsync(IPEndPoint.Parse(first["native"]));
        await client.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/a/b");
        await client.SendAsync(Frames.Publish(producer, 1, "held"u8.ToArray()));
        SubscribeReply consumer = await client.SubscribeAsync("/a/b");
        await client.SendAsync(Frames.Credit(consumer.Channel, 10, 1 << 20, consumer.SubscriptionEpoch));
        await client.ReceiveAsync(FrameType.Deliver);
        broker.Signal("TERM");
        await client.ReceiveAsync(FrameType.Close);
        Assert.False(broker.Process.HasExited);
        broker.Signal("TERM");
        Assert.Equal(128 + 15, await broker.ExitCodeAsync());
    }

    [Fact]
    public async Task Mistakes_give_one_clear_line_and_exit_code_2()
    {
        using var folder = new TempFolder();
        string yaml = Path.Combine(folder.Path, "b.yml");
        await File.WriteAllTextAsync(yaml, "nonsense: 1\n");
        await AssertRefusedAsync("unknown key 'nonsense'", [], "--config", yaml);
        await AssertRefusedAsync("--port is 'x'", [], "--port", "x");
        await AssertRefusedAsync("--colour", [], "--colour");
        await AssertRefusedAsync("DANUBE__NONSENSE", new() { ["DANUBE__NONSENSE"] = "1" });

        await using TestBroker broker = await TestBroker.StartAsync();
        await AssertRefusedAsync("choose another with --port", [], "--port", $"{broker.Host.NativeEndPoint.Port}", "--http-port", "0", "--data-dir", Path.Combine(folder.Path, "d"));
        await AssertRefusedAsync("choose another with --http-port", [], "--port", "0", "--http-port", $"{broker.Host.HttpEndPoint.Port}", "--data-dir", Path.Combine(folder.Path, "d"));
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "d")), "A start that was refused has left its folder behind.");

        // On a folder that is in use that says more than the ports.
        await AssertRefusedAsync($"process {Environment.ProcessId}", [], "--port", $"{broker.Host.NativeEndPoint.Port}", "--http-port", "0", "--data-dir", broker.Host.DataDirectory);
        await AssertRefusedAsync($"process {Environment.ProcessId}", [], "--port", "0", "--http-port", "0", "--data-dir", broker.Host.DataDirectory);
    }

    [Fact]
    public async Task Help_is_printed()
    {
        using var broker = new BrokerProcess("--help");
        string text = await broker.Process.StandardOutput.ReadToEndAsync();
        Assert.Equal(0, await broker.ExitCodeAsync());
        Assert.All(["--config", "--data-dir", "--port", "--http-port", "--listen", "--log-level"], flag => Assert.Contains(flag, text));
    }

    [Fact]
    public async Task Log_lines_can_be_json()
    {
        using var folder = new TempFolder();
        using var broker = new BrokerProcess(new Dictionary<string, string> { ["DANUBE__LOG__FORMAT"] = "json" }, "--port", "0", "--http-port", "0", "--data-dir", folder.Path);
        await broker.ReadFirstLineAsync();
        broker.Signal("TERM");
        string[] lines = (await broker.Process.StandardError.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, await broker.ExitCodeAsync());
        Assert.Contains(lines, l => JsonDocument.Parse(l).RootElement.GetProperty("EventId").GetInt32() == 1);
    }

    private static async Task AssertRefusedAsync(string message, Dictionary<string, string> environment, params string[] arguments)
    {
        using var broker = new BrokerProcess(environment, arguments);
        string error = await broker.Process.StandardError.ReadToEndAsync();
        Assert.Equal(2, await broker.ExitCodeAsync());
        string[] lines = [.. error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l.StartsWith("danube-broker: ", StringComparison.Ordinal))];
        Assert.Contains(message, Assert.Single(lines));
    }

    private sealed class BrokerProcess : IDisposable
    {
        public BrokerProcess(params string[] arguments)
            : this([], arguments)
        {
        }

        public BrokerProcess(Dictionary<string, string> environment, params string[] arguments)
        {
            var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "danube-broker.dll"));
            start.ArgumentList.Add("--stop-with-stdin");
            foreach (string argument in arguments)
            {
                start.ArgumentList.Add(argument);
            }

            foreach ((string name, string value) in environment)
            {
                start.Environment[name] = value;
            }

            Process = Process.Start(start)!;
        }

        public Process Process { get; }

        public async Task<Dictionary<string, string>> ReadFirstLineAsync()
        {
            string? line = await Process.StandardOutput.ReadLineAsync().WaitAsync(HangGuard);
            if (line is null)
            {
                Assert.Fail("The broker did not start: " + await Process.StandardError.ReadToEndAsync());
            }

            Assert.StartsWith("DANUBE ", line);
            int data = line.IndexOf(" data=", StringComparison.Ordinal);
            return line[..data].Split(' ').Skip(1).Append(line[(data + 1)..]).Select(p => p.Split('=', 2)).ToDictionary(p => p[0], p => p[1]);
        }

        public void Signal(string name)
        {
            using Process kill = Process.Start("kill", ["-" + name, Process.Id.ToString(CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
        }

        public async Task<int> ExitCodeAsync()
        {
            await Process.WaitForExitAsync().WaitAsync(HangGuard);
            return Process.ExitCode;
        }

        public void Dispose()
        {
            if (!Process.HasExited)
            {
                Process.Kill();
                Process.WaitForExit();
            }

            Process.Dispose();
        }
    }
}
