using System.Net.Sockets;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Demo.Cluster;

/// <summary>Asks a broker where topics are, over JSON lines: the client does the same by itself, and does not show it.</summary>
internal sealed class TopicPlaces : IDisposable
{
    private const string Hello = """{"type":"event","id":"$hello","payload":{"client_name":"demo-lookup"},"correlation_id":"1"}""";

    private readonly TcpClient _connection;
    private readonly StreamReader _reader;
    private readonly StreamWriter _writer;

    private TopicPlaces(TcpClient connection)
    {
        _connection = connection;
        _reader = new StreamReader(connection.GetStream());
        _writer = new StreamWriter(connection.GetStream()) { AutoFlush = true, NewLine = "\n" };
    }

    /// <param name="address">host:port of the broker.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<TopicPlaces> ConnectAsync(string address, CancellationToken cancellationToken)
    {
        var connection = new TcpClient();
        int colon = address.LastIndexOf(':');
        await connection.ConnectAsync(address[..colon], int.Parse(address.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture), cancellationToken);
        var places = new TopicPlaces(connection);
        await places.AskAsync(Hello, cancellationToken);
        return places;
    }

    /// <summary>Where a topic is; null when the broker cannot say now.</summary>
    public async Task<LookupReply?> FindAsync(string topic, CancellationToken cancellationToken)
    {
        string answer = await AskAsync($$$"""{"type":"request","id":"$lookup","payload":{"topic":"{{{topic}}}","revision":0},"correlation_id":"2"}""", cancellationToken);
        using JsonDocument envelope = JsonDocument.Parse(answer);
        return envelope.RootElement.GetProperty("payload").TryGetProperty("result", out _)
            ? envelope.RootElement.GetProperty("payload").Deserialize(ControlJson.Default.LookupReply)
            : null;
    }

    public void Dispose() => _connection.Dispose();

    private async Task<string> AskAsync(string line, CancellationToken cancellationToken)
    {
        await _writer.WriteLineAsync(line.AsMemory(), cancellationToken);
        while (true)
        {
            string answer = await _reader.ReadLineAsync(cancellationToken) ?? throw new IOException("The broker closed the connection.");

            // Everything but an answer (a ping, say) is passed over.
            if (answer.Contains("\"correlation_id\"", StringComparison.Ordinal))
            {
                return answer;
            }
        }
    }
}
