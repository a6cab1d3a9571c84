using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Requests between clients through the real broker.</summary>
[Collection(nameof(BrokerCollection))]
public sealed class PeerBrokerTests(BrokerFixture broker)
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    private static string Name(string name) => $"{name}-{Random.Shared.Next():x}";

    [Fact]
    public async Task Clients_ask_each_other_and_go_on_after_a_lost_connection()
    {
        using var proxy = new CuttingProxy(new Uri(broker.Url).Port);
        string name = Name("server");
        await using DanubeClient server = await DanubeClient.ConnectAsync($"127.0.0.1:{proxy.Port}", new DanubeClientOptions { ClientName = name, ReconnectDelay = TimeSpan.FromMilliseconds(5) });
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        server.OnRequest("double", (request, _) => new(Encoding.UTF8.GetBytes($"{2 * int.Parse(request.Payload.Span, null)}")));
        server.OnRequest("refuse", (_, _) => throw new DanubeException(ErrorCode.BadRequest, "not today"));
        for (int round = 0; round < 3; round++)
        {
            ReadOnlyMemory<byte>[] answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => client.RequestAsync(name, "double", Encoding.UTF8.GetBytes($"{i}"), Hang)));
            Assert.Equal(Enumerable.Range(0, 200).Select(i => $"{2 * i}"), answers.Select(a => Encoding.UTF8.GetString(a.Span)));
            proxy.Cut();
            await ProducerTests.Eventually(() => IsReached(client, name));
        }

        Assert.Equal(ErrorCode.BadRequest, (await Assert.ThrowsAsync<DanubeException>(() => client.RequestAsync(name, "refuse", default))).Code);
        DanubeException unroutable = await Assert.ThrowsAsync<DanubeException>(() => client.RequestAsync(Name("nobody"), "double", default));
        Assert.Equal(ErrorCode.Unroutable, unroutable.Code);
        Assert.NotNull(unroutable.CorrelationId);
    }

    [Fact]
    public async Task Events_pass_too()
    {
        string name = Name("listener");
        await using DanubeClient listener = await DanubeClient.ConnectAsync(broker.Url, new DanubeClientOptions { ClientName = name });
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        var heard = new TaskCompletionSource<PeerMessage>();
        listener.OnEvent("e", (e, _) =>
        {
            heard.TrySetResult(e);
            return default;
        });
        await client.SendEventAsync(name, "e", "payload"u8.ToArray());
        PeerMessage message = await heard.Task.WaitAsync(Hang);
        Assert.Equal(client.Name, message.Source);
        Assert.Equal("payload", Encoding.UTF8.GetString(message.Payload.Span));
    }

    private static bool IsReached(DanubeClient client, string name)
    {
        try
        {
            return client.RequestAsync(name, "double", "1"u8.ToArray(), TimeSpan.FromSeconds(1)).GetAwaiter().GetResult().Length == 1;
        }
        catch (DanubeException)
        {
            return false;
        }
    }
}
