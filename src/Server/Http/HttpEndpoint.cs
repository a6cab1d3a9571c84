using System.Net;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Danube.Fast.Server.Http;

/// <summary>The HTTP port: Kestrel with small limits. Runs on: the thread pool.</summary>
internal sealed class HttpEndpoint : IAsyncDisposable
{
    private const int MaxBodyBytes = 64 * 1024;
    private const int MaxConnections = 256;

    private readonly KestrelServer _server;
    private readonly ServiceProvider _services;

    private HttpEndpoint(KestrelServer server, ServiceProvider services, IPEndPoint endPoint)
    {
        _server = server;
        _services = services;
        EndPoint = endPoint;
    }

    /// <summary>The address in use; the port is the real one when 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <exception cref="IOException">The address is in use or not of this machine.</exception>
    public static async Task<HttpEndpoint> StartAsync(IPEndPoint endPoint, Func<HttpContext, Task> handler, CancellationToken cancellationToken)
    {
        // Kestrel's own lines (a peer that went away, a malformed request) are not the operator's business.
        ILoggerFactory logs = NullLoggerFactory.Instance;
        ServiceProvider services = new ServiceCollection().AddSingleton(logs).BuildServiceProvider();
        var options = new KestrelServerOptions { ApplicationServices = services, AddServerHeader = false };
        options.Limits.MaxRequestBodySize = MaxBodyBytes;
        options.Limits.MaxConcurrentConnections = MaxConnections;
        options.Listen(endPoint, listen => listen.Protocols = HttpProtocols.Http1);
        var server = new KestrelServer(
            Options.Create(options), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), logs), logs);
        try
        {
            await server.StartAsync(new HttpApplication(handler), cancellationToken);
        }
        catch
        {
            server.Dispose();
            await services.DisposeAsync();
            throw;
        }

        string address = server.Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new HttpEndpoint(server, services, new IPEndPoint(endPoint.Address, new Uri(address).Port));
    }

    /// <summary>Stops accepting; running requests get a moment.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _server.StopAsync(patience.Token);
        _server.Dispose();
        await _services.DisposeAsync();
    }
}
