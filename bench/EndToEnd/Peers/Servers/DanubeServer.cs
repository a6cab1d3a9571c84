using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Peers.Servers;

/// <summary>This project's broker, running from the first round to the last and stopped while others are measured, as the servers of the peers are.</summary>
internal sealed class DanubeServer : IAsyncDisposable
{
    // As long as the peers get: what is removed in the background is gone before it is stopped.
    private const int AfterDeleteMs = 200;

    private static readonly Dictionary<string, string> NoVariables = [];

    private readonly RunFolder _folder;

    private DanubeServer(RunFolder folder, BrokerProcess broker)
    {
        _folder = folder;
        Broker = broker;
    }

    public BrokerProcess Broker { get; }

    public static async Task<DanubeServer> StartAsync(string? dataParent)
    {
        var folder = RunFolder.Create(dataParent);
        try
        {
            BrokerProcess broker = await folder.StartBrokerAsync(NoVariables);
            broker.Freeze();
            return new DanubeServer(folder, broker);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Starts the processes of a round on topics of its own.</summary>
    public async Task<LoadSession> BeginRoundAsync(LoadSetup setup)
    {
        Broker.Continue();
        try
        {
            return await LoadSession.StartAsync(setup, Broker);
        }
        catch
        {
            Broker.Freeze();
            throw;
        }
    }

    public async ValueTask EndRoundAsync(LoadSession session)
    {
        await session.DisposeAsync();
        await Task.Delay(AfterDeleteMs);
        Broker.Freeze();
    }

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        _folder.Dispose();
    }
}
