using Danube.Fast.Client;

namespace Danube.Fast.Cli;

/// <summary>The connection of a command that can outlive it: the client comes back by itself, the person at the terminal is told meanwhile.</summary>
internal sealed class BrokerSession(string url, TextWriter error)
{
    private volatile bool _isLost;

    /// <summary>There is no connection now: what was on its way may not have arrived.</summary>
    public bool IsLost => _isLost;

    public static Task<DanubeClient> OpenAsync(string url, TextWriter error, CancellationToken cancellationToken) =>
        new BrokerSession(url, error).OpenAsync(cancellationToken);

    public Task<DanubeClient> OpenAsync(CancellationToken cancellationToken) => DanubeClient.ConnectAsync(
        url, new DanubeClientOptions { CloseTimeout = Terminal.WindUp.CloseTimeout, OnConnectionChange = OnChange }, cancellationToken);

    private void OnChange(ConnectionChange change)
    {
        _isLost = change.State != ConnectionState.Restored;
        error.WriteLine("danube-cli: " + Describe(change));
    }

    private string Describe(in ConnectionChange change) => change.State switch
    {
        ConnectionState.Lost => $"the connection to {url} is lost, waiting for it to come back ({change.Cause?.Message})",
        ConnectionState.Restored => $"the connection to {url} is back.",
        _ => $"the connection to {url} is given up.",
    };
}
