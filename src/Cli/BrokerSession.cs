using Danube.Fast.Client;

namespace Danube.Fast.Cli;

/// <summary>The connection of a command that can outlive it: the client comes back by itself, the person at the terminal is told meanwhile.</summary>
internal static class BrokerSession
{
    public static Task<DanubeClient> OpenAsync(string url, TextWriter error, CancellationToken cancellationToken) => DanubeClient.ConnectAsync(
        url,
        new DanubeClientOptions { CloseTimeout = Terminal.WindUp.CloseTimeout, OnConnectionChange = change => error.WriteLine("danube-cli: " + Describe(url, change)) },
        cancellationToken);

    private static string Describe(string url, in ConnectionChange change) => change.State switch
    {
        ConnectionState.Lost => $"the connection to {url} is lost, waiting for it to come back ({change.Cause?.Message})",
        ConnectionState.Restored => $"the connection to {url} is back.",
        _ => $"the connection to {url} is given up.",
    };
}
