namespace Danube.Fast.Server.Tests;

/// <summary>A broker in this process on free ports and, unless one is given, a folder of its own.</summary>
internal sealed class TestBroker : IAsyncDisposable
{
    private readonly TempFolder? _folder;

    private TestBroker(BrokerHost host, TempFolder? folder)
    {
        Host = host;
        _folder = folder;
    }

    public BrokerHost Host { get; }

    public static async Task<TestBroker> StartAsync(Func<BrokerOptions, BrokerOptions>? change = null, string? folder = null)
    {
        TempFolder? own = folder is null ? new TempFolder() : null;
        var options = new BrokerOptions
        {
            BrokerName = "test",
            Port = 0,
            HttpPort = 0,
            DataDirectory = folder ?? own!.Path,
            Wal = new WalSettings { LowSpaceBytes = 0 },
            Timeouts = new TimeoutOptions { DrainMs = 500 },
        };
        try
        {
            return new TestBroker(await BrokerHost.StartAsync(change?.Invoke(options) ?? options), own);
        }
        catch
        {
            own?.Dispose();
            throw;
        }
    }

    /// <summary>A connection that has not said anything yet.</summary>
    public Task<RawClient> ConnectAsync() => RawClient.ConnectAsync(Host.NativeEndPoint);

    /// <summary>A connection whose HELLO was answered.</summary>
    public async Task<RawClient> HelloAsync()
    {
        RawClient client = await ConnectAsync();
        await client.HelloAsync();
        return client;
    }

    public HttpClient Http() => new() { BaseAddress = new Uri($"http://{Host.HttpEndPoint}"), Timeout = TimeSpan.FromSeconds(100) };

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _folder?.Dispose();
    }
}
