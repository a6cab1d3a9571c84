using Danube.Fast.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Examples.HostedService;

/// <summary>One client for all services of the process: connected when it is first needed, disposed with the host, after the services have stopped.</summary>
internal sealed class DanubeConnection(string url, ILogger<DanubeConnection> logger) : IAsyncDisposable
{
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private DanubeClient? _client;

    public async Task<DanubeClient> GetAsync(CancellationToken cancellationToken)
    {
        await _connecting.WaitAsync(cancellationToken);
        try
        {
            return _client ??= await DanubeClient.ConnectAsync(url, new DanubeClientOptions { OnConnectionChange = Tell }, cancellationToken);
        }
        finally
        {
            _connecting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }

        _connecting.Dispose();
    }

    // The client comes back by itself; the log tells why it was quiet for a while.
    private void Tell(ConnectionChange change) => logger.LogWarning(change.Cause, "Connection to {Url}: {State}", url, change.State);
}

internal static class DanubeServices
{
    /// <summary>Makes the client of a broker available to hosted services.</summary>
    public static IServiceCollection AddDanube(this IServiceCollection services, string url) => services
        .AddSingleton(provider => new DanubeConnection(url, provider.GetRequiredService<ILogger<DanubeConnection>>()))
        .AddSingleton<OrderLog>();
}
