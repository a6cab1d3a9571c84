using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Danube.Fast.AdminCli;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Server;
using Danube.Fast.Wal;
using Microsoft.Extensions.Logging;
using BrokerOptions = Danube.Fast.Server.BrokerOptions;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>A broker in the test's process, over real sockets and files that can fail: what operators see of it is read as they read it.</summary>
internal sealed class HostedBroker : IAsyncDisposable
{
    private readonly BrokerHost _host;
    private readonly LineCollector _lines;
    private readonly HttpClient _http;

    private HostedBroker(BrokerHost host, LineCollector lines)
    {
        _host = host;
        _lines = lines;
        _http = new HttpClient { BaseAddress = new Uri($"http://{host.HttpEndPoint}"), Timeout = TimeSpan.FromSeconds(60) };
    }

    public string Url => "danube://" + _host.NativeEndPoint;

    /// <summary>The log lines so far.</summary>
    public IEnumerable<string> Lines => _lines.All;

    /// <summary>Waits for a log line: it may be written a moment after what it tells of can be seen.</summary>
    public async Task<string> LineAsync(params string[] parts)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (true)
        {
            if (Lines.FirstOrDefault(l => Array.TrueForAll(parts, p => l.Contains(p, StringComparison.Ordinal))) is { } line)
            {
                return line;
            }

            Assert.False(guard.IsCancellationRequested, $"no line with {string.Join(", ", parts)} among\n{string.Join('\n', Lines)}");
            await Task.Delay(20);
        }
    }

    public static async Task<HostedBroker> StartAsync(DataFolder data, WalFileSystem files, Func<BrokerOptions, BrokerOptions>? change = null)
    {
        var options = new BrokerOptions
        {
            Port = 0,
            HttpPort = 0,
            DataDirectory = data.Path,
            Wal = new WalSettings { LowSpaceBytes = 0, Files = files },
            Timeouts = new TimeoutOptions { DrainMs = 200 },
        };
        var lines = new LineCollector();
        return new HostedBroker(await BrokerHost.StartAsync(change?.Invoke(options) ?? options, lines), lines);
    }

    public Task<DanubeClient> ConnectAsync() => DanubeClient.ConnectAsync(Url, new DanubeClientOptions { MaxReconnectDelay = TimeSpan.FromMilliseconds(200), CloseTimeout = TimeSpan.FromMilliseconds(100) });

    /// <summary>The reason of a check of /readyz that does not hold; null when the broker is ready.</summary>
    public async Task<string?> NotReadyAsync(string check)
    {
        using HttpResponseMessage response = await _http.GetAsync("/readyz");
        using JsonDocument document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        JsonElement found = document.RootElement.GetProperty("checks").EnumerateArray().Single(c => c.GetProperty("name").GetString() == check);
        Assert.Equal(response.IsSuccessStatusCode, document.RootElement.GetProperty("checks").EnumerateArray().All(c => c.GetProperty("ok").GetBoolean()));
        return found.GetProperty("ok").GetBoolean() ? null : found.GetProperty("reason").GetString();
    }

    /// <summary>Waits until the broker is ready again.</summary>
    public async Task WaitUntilReadyAsync(string check)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (await NotReadyAsync(check) is not null)
        {
            await Task.Delay(50, guard.Token);
        }
    }

    /// <summary>Waits until the log of a topic counts as failed; does nothing for null.</summary>
    public async Task WaitUntilFailedAsync(string? topic)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (topic is not null && !(await AdminAsync("health")).Contains(topic, StringComparison.Ordinal))
        {
            await Task.Delay(50, guard.Token);
        }
    }

    /// <summary>What a command of danube-admin-cli prints, and its exit code in front.</summary>
    public async Task<string> AdminAsync(string line)
    {
        var output = new StringWriter();
        int exitCode = await AdminCommandLine.RunAsync([.. line.Split(' '), "--url", _http.BaseAddress!.ToString()], output, output);
        return exitCode.ToString(CultureInfo.InvariantCulture) + "\n" + output;
    }

    public async Task<double> MetricAsync(string name, string labels = "") =>
        BrokerMetrics.Parse(await _http.GetStringAsync("/metrics")).Sum(name, labels);

    /// <summary>The text of /metrics, as Prometheus reads it or in OpenMetrics.</summary>
    public async Task<string> PageAsync(bool openMetrics = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        if (openMetrics)
        {
            request.Headers.Accept.ParseAdd("application/openmetrics-text; version=1.0.0");
        }

        using HttpResponseMessage response = await _http.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _host.DisposeAsync();
        _lines.Dispose();
    }

    private sealed class LineCollector : ILoggerFactory, ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IEnumerable<string> All => _lines;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
            // Everything goes into the one collection.
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue($"{logLevel} [{eventId.Id}] {formatter(state, exception)}");

        public void Dispose()
        {
            // Nothing to free.
        }
    }
}
