using Danube.Fast.Server;

namespace Danube.Fast.Client.Tests;

/// <summary>The real broker in this process, on free ports and a temporary folder.</summary>
public sealed class BrokerFixture : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("danube-client-tests-").FullName;
    private BrokerHost _host = null!;
    private int _topics, _port;

    public string Url => $"danube://127.0.0.1:{_host.NativeEndPoint.Port}";

    public async Task InitializeAsync()
    {
        _host = await BrokerHost.StartAsync(new BrokerOptions { Port = _port, HttpPort = 0, DataDirectory = _folder, Wal = new WalSettings { LowSpaceBytes = 0 }, Timeouts = new TimeoutOptions { DrainMs = 300 } });
        _port = _host.NativeEndPoint.Port;
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A topic that no other test uses.</summary>
    public string NewTopic() => $"/client/t{Interlocked.Increment(ref _topics)}";

    /// <summary>Drains and starts again on the same port and folder.</summary>
    public async Task RestartAsync()
    {
        await _host.DisposeAsync();
        await InitializeAsync();
    }
}

/// <summary>Tests that share one broker.</summary>
[CollectionDefinition(nameof(BrokerCollection))]
public sealed class BrokerCollection : ICollectionFixture<BrokerFixture>;
