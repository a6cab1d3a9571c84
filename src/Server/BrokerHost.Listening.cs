using System.Net;
using System.Net.Sockets;
using Danube.Fast.Server.Http;
using Danube.Fast.Server.Metrics;
using Danube.Fast.Server.Transport;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server;

/// <summary>The two ports of a broker, and what is said when one cannot be had.</summary>
public sealed partial class BrokerHost
{
    private static IPEndPoint NativePort(BrokerOptions options) => new(options.ListenAddress, options.Port);

    private static IPEndPoint HttpPort(BrokerOptions options) => new(options.HttpAddress, options.HttpPort);

    /// <summary>Whether the ports are free at the moment; they are bound later, when what listens on them is there.</summary>
    /// <exception cref="BrokerStartException">One is not.</exception>
    private static void CheckPorts(BrokerOptions options)
    {
        Check(NativePort(options), NativeTaken);
        Check(HttpPort(options), HttpTaken);

        static void Check(IPEndPoint endPoint, Func<IPEndPoint, Exception, BrokerStartException> taken)
        {
            using var probe = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(endPoint);
            }
            catch (SocketException e)
            {
                throw taken(endPoint, e);
            }
        }
    }

    private static Listener BindNative(BrokerOptions options, ILogger log)
    {
        IPEndPoint endPoint = NativePort(options);
        try
        {
            return Listener.Bind(endPoint, log);
        }
        catch (SocketException e)
        {
            throw NativeTaken(endPoint, e);
        }
    }

    private async Task StartHttpAsync(CancellationToken cancellationToken)
    {
        IPEndPoint endPoint = HttpPort(_options);
        var api = new AdminApi(_topics, Requests, new MetricsPage(Metrics, TimeProvider.System), _health, _load, Brokers, _logs.Http);
        try
        {
            _http = await HttpEndpoint.StartAsync(endPoint, api.HandleAsync, cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw HttpTaken(endPoint, e);
        }
    }

    private static BrokerStartException NativeTaken(IPEndPoint endPoint, Exception cause) =>
        new($"Cannot listen on {endPoint} (native protocol): {cause.Message.TrimEnd('.')}. Stop what uses the port, or choose another with --port.", cause);

    private static BrokerStartException HttpTaken(IPEndPoint endPoint, Exception cause) =>
        new($"Cannot listen on {endPoint} (HTTP): {cause.Message.TrimEnd('.')}. Stop what uses the port, or choose another with --http-port.", cause);
}
