using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>
/// kill -9 in a loop under load. After every restart: all acknowledged messages are there at their offsets, offsets are dense, nothing was
/// invented, idempotent producers left no duplicate, cursors are not ahead of the acknowledgements.
/// </summary>
public class KillLoopTests
{
    private const int Rounds = 20;

    // Two producers with numbers for each topic live through all kills; one more per topic is made anew in every round under the same name.
    private static readonly (string Topic, string Durability)[] Topics = [("/kill/f0", "fsync"), ("/kill/f1", "fsync"), ("/kill/o0", "os")];

    [Fact(Timeout = 600_000)]
    public async Task TwentyKillsUnderLoadLoseNothing()
    {
        using var data = new DataFolder();
        var random = new Random(20);
        var options = new BrokerOptions { DataDirectory = data.Path, Port = BrokerOptions.FreePort() };
        BrokerProcess broker = await BrokerProcess.StartAsync(options);
        var ledgers = Topics.Select(t => new TopicLedger(t.Topic)).ToArray();
        var consumers = Topics.Select(t => new LoadConsumer(t.Topic)).ToArray();
        var shortLivedNext = new long[Topics.Length];
        await using DanubeClient longLived = await DanubeClient.ConnectAsync(broker.Url, new DanubeClientOptions { MaxReconnectDelay = TimeSpan.FromMilliseconds(200) });
        foreach ((string topic, string durability) in Topics)
        {
            await longLived.CreateTopicAsync(new TopicSpec { Topic = topic, Durability = durability });
        }

        LoadProducer[] producers = await Task.WhenAll(Enumerable.Range(0, 2 * Topics.Length).Select(i => LoadProducer.StartAsync(longLived, ledgers[i / 2], i, 0)));
        for (int round = 0; round < Rounds; round++)
        {
            await RunAndKillAsync(broker, ledgers, consumers, shortLivedNext, TimeSpan.FromMilliseconds(random.Next(250, 1200)));
            await broker.DisposeAsync();
            broker = await BrokerProcess.StartAsync(options);
            await using DanubeClient auditor = await DanubeClient.ConnectAsync(broker.Url);
            for (int t = 0; t < Topics.Length; t++)
            {
                await ledgers[t].AuditAsync(auditor);
                await consumers[t].CheckCursorAsync(auditor);
            }
        }

        await Task.WhenAll(producers.Select(p => p.FinishAsync()));
        await FinalAuditAsync(broker, ledgers, consumers, producers);
        foreach (LoadProducer producer in producers)
        {
            await producer.DisposeAsync();
        }

        await broker.DisposeAsync();
    }

    private static async Task RunAndKillAsync(BrokerProcess broker, TopicLedger[] ledgers, LoadConsumer[] consumers, long[] shortLivedNext, TimeSpan duration)
    {
        using var roundEnd = new CancellationTokenSource();
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url, new DanubeClientOptions { CloseTimeout = TimeSpan.FromMilliseconds(1) });
        Task[] consuming = [.. consumers.Select(c => c.RunAsync(client, roundEnd.Token))];
        LoadProducer[] shortLived = await Task.WhenAll(ledgers.Select((l, i) => LoadProducer.StartAsync(client, l, 100 + i, shortLivedNext[i])));
        await Task.Delay(duration);
        await broker.KillAsync();
        await roundEnd.CancelAsync();
        for (int i = 0; i < shortLived.Length; i++)
        {
            await shortLived[i].StopAsync();

            // What is in doubt is not sent again under another number: the next process goes on behind it.
            shortLivedNext[i] = shortLived[i].Next + 1;
        }

        await Task.WhenAll(consuming);
        await Task.WhenAll(shortLived.Select(async p =>
        {
            try
            {
                await p.DisposeAsync();
            }
            catch (DanubeException)
            {
                // Its last messages were never acknowledged: the broker is dead.
            }
        }));
    }

    private static async Task FinalAuditAsync(BrokerProcess broker, TopicLedger[] ledgers, LoadConsumer[] consumers, LoadProducer[] producers)
    {
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        for (int t = 0; t < Topics.Length; t++)
        {
            await ledgers[t].AuditAsync(client);
            await ledgers[t].AuditFromStartAsync(client);
            await consumers[t].FinishAsync(client, ledgers[t].StoredCount);
            Assert.True(ledgers[t].AcknowledgedCount > 1000, "the load was too small to prove anything");
            foreach (int id in new[] { 2 * t, (2 * t) + 1 })
            {
                // Resends after 20 kills: every number once, none missing.
                IReadOnlyList<long> numbers = ledgers[t].StoredNumbers(id);
                Assert.Equal(producers[id].Next, numbers.Count);
                Assert.Equal(Enumerable.Range(0, numbers.Count).Select(n => (long)n), numbers);
            }
        }
    }
}
