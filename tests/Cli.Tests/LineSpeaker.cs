using System.Net.Sockets;
using System.Text.Json;

namespace Danube.Fast.Cli.Tests;

/// <summary>A client that speaks JSON lines and answers one request.</summary>
internal sealed class LineSpeaker : IDisposable
{
    private readonly TcpClient _socket = new();

    private LineSpeaker(string name) => Name = name;

    public string Name { get; }

    /// <summary>Connects under a name; the broker has taken it when this returns.</summary>
    public static async Task<LineSpeaker> ConnectAsync(string url, string name)
    {
        var speaker = new LineSpeaker(name);
        var address = new Uri(url);
        await speaker._socket.ConnectAsync(address.Host, address.Port);
        await speaker.SendAsync($$$"""{"type":"event","id":"$hello","payload":{"client_name":"{{{name}}}"}}""");
        await speaker.ReceiveAsync();
        return speaker;
    }

    /// <summary>Answers the next request: members of the answer are put behind those that make it one.</summary>
    public async Task AnswerAsync(string members)
    {
        JsonElement request = await ReceiveAsync();
        await SendAsync($$"""{"id":{{request.GetProperty("id").GetRawText()}},"target":{{request.GetProperty("source").GetRawText()}},"correlation_id":{{request.GetProperty("correlation_id").GetRawText()}},{{members}}}""");
    }

    public void Dispose() => _socket.Dispose();

    private async Task SendAsync(string line) => await _socket.GetStream().WriteAsync(System.Text.Encoding.UTF8.GetBytes(line + "\n"));

    private async Task<JsonElement> ReceiveAsync()
    {
        using var hang = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var line = new List<byte>();
        byte[] one = new byte[1];
        while (await _socket.GetStream().ReadAsync(one, hang.Token) == 1 && one[0] != (byte)'\n')
        {
            line.Add(one[0]);
        }

        return JsonDocument.Parse(line.ToArray()).RootElement;
    }
}
