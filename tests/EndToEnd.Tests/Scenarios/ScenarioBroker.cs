using System.Text;
using Danube.Fast.Client;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests.Scenarios;

/// <summary>One broker process for the scenarios of a class, with a client; every scenario takes a topic of its own.</summary>
public sealed class ScenarioBroker : IAsyncLifetime
{
    private int _topics;

    public BrokerProcess Broker { get; private set; } = null!;

    public DanubeClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Broker = await BrokerProcess.StartAsync();
        Client = await DanubeClient.ConnectAsync(Broker.Url);
    }

    public async Task DisposeAsync()
    {
        await Client.DisposeAsync();
        await Broker.DisposeAsync();
    }

    /// <summary>A name that no other scenario uses.</summary>
    public string NewTopic(string name) => $"/scenario/{name}-{Interlocked.Increment(ref _topics)}";

    /// <summary>Sends texts one by one, each a batch of its own.</summary>
    public static async Task SendAsync(Producer producer, IEnumerable<string> texts, string? key = null)
    {
        foreach (string text in texts)
        {
            byte[] payload = Encoding.UTF8.GetBytes(text);
            await (key is null ? producer.SendAsync(payload) : producer.SendAsync(new OutgoingMessage { Key = Encoding.UTF8.GetBytes(key), Payload = payload }));
        }
    }

    public static IEnumerable<string> Texts(string prefix, int from, int count) => Enumerable.Range(from, count).Select(i => $"{prefix}-{i}");
}
