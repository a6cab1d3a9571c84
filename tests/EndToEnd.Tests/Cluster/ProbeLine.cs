using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>One connection to one broker that speaks JSON lines, with a producer on one topic. Follows nothing. Runs on: one task writes, one reads.</summary>
internal sealed class ProbeLine : IDisposable
{
    private readonly TcpClient _client;
    private readonly NetworkStream _stream;
    private readonly StreamReader _reader;
    private readonly ConcurrentDictionary<string, long> _sent = new();
    private long _channel, _correlation;

    private ProbeLine(TcpClient client)
    {
        _client = client;
        _stream = client.GetStream();
        _reader = new StreamReader(_stream, Encoding.UTF8);
    }

    /// <summary>Of the opening that took the producer.</summary>
    public long Epoch { get; private set; }

    /// <summary>Null: the broker does not serve the topic, or says that it does not.</summary>
    public static async Task<ProbeLine?> OpenAsync(int port, string topic, CancellationToken cancellationToken)
    {
        var client = new TcpClient { NoDelay = true };
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            var line = new ProbeLine(client);
            await line.SendAsync($$"""{"type":"event","id":"$hello","payload":{"client_name":"probe"},"correlation_id":"h"}""", cancellationToken);
            await line.SendAsync($$"""{"type":"request","id":"$create_producer","payload":{"topic":"{{topic}}"},"correlation_id":"p"}""", cancellationToken);
            while (await line.ReadAsync(cancellationToken) is { } answer)
            {
                if (answer.GetProperty("type").GetString() == "error")
                {
                    break;
                }

                if (Text(answer, "correlation_id") == "p")
                {
                    JsonElement payload = answer.GetProperty("payload");
                    (line._channel, line.Epoch) = (payload.GetProperty("channel").GetInt64(), payload.GetProperty("topic_epoch").GetInt64());
                    return line;
                }
            }

            client.Dispose();
            return null;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public Task PublishAsync(CancellationToken cancellationToken)
    {
        string correlation = (++_correlation).ToString(CultureInfo.InvariantCulture);
        _sent[correlation] = Stopwatch.GetTimestamp();
        return SendAsync($$"""{"type":"request","id":"$publish","payload":{"channel":{{_channel}},"messages":[{"payload":"probe"}]},"correlation_id":"{{correlation}}"}""", cancellationToken);
    }

    /// <summary>The next acknowledgement; null when the broker has anything else to say, or ends the connection.</summary>
    public async Task<(long Offset, long Sent)?> ReadAckAsync(CancellationToken cancellationToken) =>
        await ReadAsync(cancellationToken) is { } answer && Text(answer, "type") == "response" && Text(answer, "id") == "$publish"
            && _sent.TryRemove(Text(answer, "correlation_id")!, out long sent)
                ? (answer.GetProperty("payload").GetProperty("first_offset").GetInt64(), sent)
                : null;

    public void Dispose()
    {
        _reader.Dispose();
        _client.Dispose();
    }

    private Task SendAsync(string line, CancellationToken cancellationToken) => _stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancellationToken).AsTask();

    private async Task<JsonElement?> ReadAsync(CancellationToken cancellationToken)
    {
        if (await _reader.ReadLineAsync(cancellationToken) is not { } text)
        {
            return null;
        }

        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private static string? Text(JsonElement line, string member) => line.TryGetProperty(member, out JsonElement value) ? value.GetString() : null;
}
