using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Readers against the real broker.</summary>
[Collection(nameof(BrokerCollection))]
public sealed class ReaderBrokerTests(BrokerFixture broker) : IAsyncLifetime
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    private readonly string _topic = broker.NewTopic();
    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(broker.Url, ProducerTests.Fast());

    public async Task DisposeAsync() => await _client.DisposeAsync();

    private async Task Fill(int count, int from = 0)
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = _topic, Durability = "os", MaxBatchRecords = 20 });
        for (int i = from; i < from + count; i++)
        {
            await producer.PostAsync(new OutgoingMessage { Payload = Encoding.UTF8.GetBytes($"m{i}"), Key = Encoding.UTF8.GetBytes($"{i}") });
        }

        await producer.FlushAsync();
    }

    [Fact]
    public async Task A_reader_leaves_no_trace_and_survives_lost_connections()
    {
        await Fill(20_000);
        using var proxy = new CuttingProxy(new Uri(broker.Url).Port);
        await using DanubeClient client = await DanubeClient.ConnectAsync($"127.0.0.1:{proxy.Port}", ProducerTests.Fast());
        using var hang = new CancellationTokenSource(Hang);
        await using (Reader reader = await client.CreateReaderAsync(new ReaderOptions { Topic = _topic, Start = "offset:10", CreditRecords = 500 }))
        {
            for (int i = 10; i < 20_000; i++)
            {
                Message message = await reader.ReceiveAsync(hang.Token);
                Assert.Equal($"m{i}", Encoding.UTF8.GetString(message.Payload.Span));
                if (i % 6000 == 3000)
                {
                    proxy.Cut();
                }
            }

            Assert.True(reader.HasReachedEnd);
            Assert.True(await reader.HasReachedEndAsync(hang.Token));
            await Fill(1, from: 20_000);
            Assert.Equal(20_000, (await reader.ReceiveAsync(hang.Token)).Offset);
        }

        await ProducerTests.Eventually(() => _client.DescribeTopicAsync(_topic).GetAwaiter().GetResult().Subscriptions.Length == 0);
    }

    [Fact]
    public async Task All_partitions_are_read_to_the_end()
    {
        await _client.CreateTopicAsync(new TopicSpec { Topic = _topic, Partitions = 4, Durability = "os" });
        await Fill(2000);
        using var hang = new CancellationTokenSource(Hang);
        await using Reader reader = await _client.CreateReaderAsync(new ReaderOptions { Topic = _topic });
        var seen = new HashSet<string>();
        while (!reader.HasReachedEnd)
        {
            Message message = await reader.ReceiveAsync(hang.Token);
            Assert.True(seen.Add(Encoding.UTF8.GetString(message.Payload.Span)));
        }

        Assert.Equal(2000, seen.Count);
    }
}
