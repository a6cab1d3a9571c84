using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Danube.Fast.Server.Tests;

/// <summary>A peer that speaks JSON lines over a socket, as a person with nc does. Every wait ends after 60 s.</summary>
internal sealed class LineClient : IDisposable
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(60);

    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly List<byte> _received = [];
    private int _correlation;

    private LineClient(Socket socket) => Socket = socket;

    public Socket Socket { get; }

    public static async Task<LineClient> ConnectAsync(IPEndPoint endPoint, int? receiveBufferBytes = null)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBufferBytes is { } bytes)
        {
            socket.ReceiveBufferSize = bytes;
        }

        await socket.ConnectAsync(endPoint);
        return new LineClient(socket);
    }

    public static Task<LineClient> ConnectAsync(TestBroker broker) => ConnectAsync(broker.Host.NativeEndPoint);

    /// <summary>Sends text as it is.</summary>
    public async Task SendAsync(string text)
    {
        ReadOnlyMemory<byte> bytes = Encoding.UTF8.GetBytes(text);
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await Socket.SendAsync(bytes)..];
        }
    }

    /// <summary>Sends a request with a correlation id of its own, which is the answer.</summary>
    public async Task<string> SendRequestAsync(string id, string payload)
    {
        string correlation = $"{++_correlation}";
        await SendAsync($"{{\"type\":\"request\",\"id\":\"{id}\",\"payload\":{payload},\"correlation_id\":\"{correlation}\"}}\n");
        return correlation;
    }

    /// <summary>Sends a request and takes the next line as its response.</summary>
    public async Task<JsonElement> RequestAsync(string id, string payload)
    {
        string correlation = await SendRequestAsync(id, payload);
        JsonElement answer = await ReceiveAsync();
        Assert.True(Text(answer, "type") == "response" && Text(answer, "correlation_id") == correlation, $"{id} was answered with {answer}");
        return answer.GetProperty("payload");
    }

    /// <summary>Sends a request and takes the next line as the error that answers it: its code.</summary>
    public async Task<string> RefusedAsync(string id, string payload)
    {
        string correlation = await SendRequestAsync(id, payload);
        JsonElement answer = await ReceiveAsync();
        Assert.True(Text(answer, "type") == "error" && Text(answer, "correlation_id") == correlation, $"{id} was answered with {answer}");
        Assert.NotEmpty(Text(answer, "error")!);
        return answer.GetProperty("payload").GetProperty("code").GetString()!;
    }

    /// <summary>The payload of the next line, which must be a message.</summary>
    public async Task<JsonElement> MessageAsync()
    {
        JsonElement line = await ReceiveAsync();
        Assert.True(Text(line, "id") == "$message", line.ToString());
        return line.GetProperty("payload");
    }

    /// <summary>The next line; fails when the connection ends.</summary>
    public async Task<JsonElement> ReceiveAsync() =>
        JsonDocument.Parse(await TryReceiveLineAsync() ?? throw new InvalidOperationException("The broker ended the connection.")).RootElement;

    public async Task<string?> TryReceiveLineAsync()
    {
        int end;
        while ((end = _received.IndexOf((byte)'\n')) < 0)
        {
            if (!await FillAsync())
            {
                Assert.Empty(_received);
                return null;
            }
        }

        string line = Encoding.UTF8.GetString(_received.GetRange(0, end).ToArray());
        _received.RemoveRange(0, end + 1);
        return line;
    }

    public async Task AssertEndedAsync() => Assert.Null(await TryReceiveLineAsync());

    public static string? Text(JsonElement line, string member) => line.TryGetProperty(member, out JsonElement value) ? value.GetString() : null;

    public void Dispose() => Socket.Dispose();

    private async Task<bool> FillAsync()
    {
        using var guard = new CancellationTokenSource(HangGuard);
        try
        {
            int received = await Socket.ReceiveAsync(_buffer, guard.Token);
            _received.AddRange(_buffer.AsSpan(0, received));
            return received > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
