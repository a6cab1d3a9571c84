using System.Text;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Peers.Wire;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>A connection to a NATS server: handshake, answers to PING, requests to the JetStream API.</summary>
internal sealed class NatsConnection : IDisposable
{
    /// <summary>Subscription of the API's answers.</summary>
    private const string ApiInbox = "_INBOX.api";

    private readonly PeerConnection _connection;
    private readonly WireBuffer _output = new(4096);

    public NatsConnection(int port)
    {
        _connection = new PeerConnection(port);
        _output.WriteText("CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true,\"name\":\"danube-bench\",\"lang\":\"csharp\",\"version\":\"1\",\"protocol\":1}\r\nPING\r\n");
        _connection.Send(_output);
        while (Next().Kind != NatsKind.Pong)
        {
            // INFO comes first.
        }

        Subscribe(ApiInbox, "9");
    }

    public void Send(WireBuffer output) => _connection.Send(output);

    public void Subscribe(string subject, string id)
    {
        _output.WriteText($"SUB {subject} {id}\r\n");
        _connection.Send(_output);
    }

    /// <summary>Waits for the next operation, valid until the next call. PINGs are answered.</summary>
    /// <exception cref="InvalidDataException">The server reports an error.</exception>
    public NatsOperation Next()
    {
        while (true)
        {
            if (TryNext(out NatsOperation operation))
            {
                return operation;
            }

            _connection.Fill();
        }
    }

    /// <summary>The next operation that has come completely.</summary>
    public bool TryNext(out NatsOperation operation)
    {
        int length = NatsScanner.Scan(_connection.Unread, out operation);
        _connection.Consume(length);
        if (operation.Kind == NatsKind.Error)
        {
            throw new InvalidDataException("NATS: " + Encoding.UTF8.GetString(operation.Payload));
        }

        if (length > 0 && operation.Kind == NatsKind.Ping)
        {
            // A buffer of its own: the sending thread may be filling the other one.
            var pong = new WireBuffer(16);
            pong.WriteText("PONG\r\n");
            _connection.Send(pong);
        }

        return length > 0;
    }

    public void Fill() => _connection.Fill();

    /// <summary>One request to <c>$JS.API</c>; before anything else is subscribed.</summary>
    /// <exception cref="InvalidDataException">The answer is an error.</exception>
    public JsonNode Request(string subject, string body)
    {
        _output.WriteText($"PUB $JS.API.{subject} {ApiInbox} {Encoding.UTF8.GetByteCount(body)}\r\n{body}\r\n");
        _connection.Send(_output);
        NatsOperation answer;
        do
        {
            answer = Next();
        }
        while (answer.Kind != NatsKind.Message);

        string text = Encoding.UTF8.GetString(answer.Payload);
        JsonNode? json = text.Length == 0 ? null : JsonNode.Parse(text);
        return json is null || json["error"] is not null ? throw new InvalidDataException($"NATS refused {subject}: {text}{Encoding.UTF8.GetString(answer.Headers)}") : json;
    }

    public void Dispose() => _connection.Dispose();
}
