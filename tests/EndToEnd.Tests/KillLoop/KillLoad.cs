using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>Everything that works on the broker: producers, consumers, their auditors. Runs on: the test's thread and the clients'.</summary>
internal sealed class KillLoad : IAsyncDisposable
{
    private const int ShortLivedAtOnce = 6, AuditsAtOnce = 4, FirstShortLivedId = 1000;

    private readonly DanubeClient _longLived;
    private readonly LoadTopic[] _topics = LoadTopic.All;
    private readonly LogLedger[][] _ledgers;
    private readonly LoadConsumers[] _consumers;
    private readonly long[][] _shortLivedNext;
    private readonly List<LoadProducer> _producers = [];
    private readonly List<Task> _longLivedConsumers = [];
    private readonly CancellationTokenSource _end = new();
    private int _round;
    private int _shortLived;

    private KillLoad(DanubeClient longLived)
    {
        _longLived = longLived;
        _ledgers = [.. _topics.Select(t => t.Logs.Select(l => t.IsMemory ? (LogLedger)new MemoryLedger(l) : new TopicLedger(t, l)).ToArray())];
        _consumers = [.. _topics.Select((t, i) => new LoadConsumers(t, [.. _ledgers[i].OfType<TopicLedger>()]))];
        _shortLivedNext = [.. _ledgers.Select(l => new long[l.Length])];
        Moves = new CursorMoves(Disk.First());
        Purging = new Purges(Disk.Single(l => _topics.Single(t => t.IsPurged).Name == l.Log));
    }

    public TopicChurn Churn { get; } = new();

    public CursorMoves Moves { get; }

    public Purges Purging { get; }

    private IEnumerable<TopicLedger> Disk => _ledgers.SelectMany(l => l).OfType<TopicLedger>();

    public static async Task<KillLoad> StartAsync(string url)
    {
        DanubeClient client = await DanubeClient.ConnectAsync(url, new DanubeClientOptions { MaxReconnectDelay = TimeSpan.FromMilliseconds(200) });
        var load = new KillLoad(client);
        foreach (LoadTopic topic in load._topics)
        {
            await client.CreateTopicAsync(new TopicSpec
            {
                Topic = topic.Name,
                Durability = topic.Durability,
                Partitions = topic.Partitions > 1 ? topic.Partitions : null,
                RetentionBytes = topic.RetentionBytes > 0 ? topic.RetentionBytes : null,
            });
        }

        for (int t = 0; t < load._topics.Length; t++)
        {
            for (int i = 0; i < load._topics[t].LongLived; i++)
            {
                load._producers.Add(await LoadProducer.StartAsync(client, load._topics[t], load._producers.Count + 1, load._ledgers[t]));
            }

            if (load._topics[t].HasLongLivedConsumers)
            {
                load._longLivedConsumers.AddRange(load.Consume(load._consumers[t], client, load._end.Token));
            }
        }

        return load;
    }

    /// <summary>One message on a <c>fsync</c> topic; returns when it is acknowledged.</summary>
    public static async Task ProbeAsync(DanubeClient client)
    {
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/killprobe/p", Durability = "fsync" });
        await producer.SendAsync(MarkedMessage.Create(0, 0));
    }

    /// <summary>What was acknowledged against what the broker has.</summary>
    public async Task AuditAsync(DanubeClient client, int starts)
    {
        await Parallel.ForEachAsync(Disk, Options(), async (ledger, _) => await ledger.AuditAsync(client));
        await Parallel.ForEachAsync(_consumers.SelectMany(c => c.Cursors), Options(), async (cursor, _) => await cursor.AuditAsync(client));
        foreach (MemoryLedger ledger in _ledgers.SelectMany(l => l).OfType<MemoryLedger>())
        {
            ledger.Audit(starts);
        }

        await Churn.AuditAsync(client);
        await Moves.AuditAsync(client);
    }

    /// <summary>The load of one round on connections of its own, until <paramref name="end"/> has ended the broker.</summary>
    public async Task RunRoundAsync(BrokerProcess broker, int round, KillMoment moment, Random random, Func<Task> end)
    {
        Volatile.Write(ref _round, round);
        using var roundEnd = new CancellationTokenSource();
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url, new DanubeClientOptions { CloseTimeout = TimeSpan.FromMilliseconds(1) });
        List<Task> working = [.. _consumers.Where(c => !c.Topic.HasLongLivedConsumers).SelectMany(c => Consume(c, client, roundEnd.Token))];
        working.Add(moment switch
        {
            KillMoment.CreateDelete => Churn.RunAsync(client, random, roundEnd.Token),
            KillMoment.Seek => Moves.RunAsync(client, random, roundEnd.Token),
            KillMoment.Purge => Purging.RunAsync(client, random, roundEnd.Token),
            _ => Task.CompletedTask,
        });
        int[] chosen = [.. Enumerable.Range(0, _topics.Length).Where(t => !_topics[t].IsMemory).OrderBy(_ => random.Next()).Take(ShortLivedAtOnce)];
        LoadProducer[] shortLived = await Task.WhenAll(chosen.Select(t => LoadProducer.StartAsync(client, _topics[t], FirstShortLivedId + t, _ledgers[t], _shortLivedNext[t])));
        _shortLived += shortLived.Length;
        await end();
        await roundEnd.CancelAsync();
        for (int i = 0; i < shortLived.Length; i++)
        {
            await shortLived[i].StopAsync();

            // What is in doubt is not sent again under another number: the next process goes on behind it.
            _shortLivedNext[chosen[i]] = [.. shortLived[i].Lanes.Select(l => l.Next + 1)];
        }

        await Task.WhenAll(working);
        await Task.WhenAll(shortLived.Select(p => p.DisposeAsync().AsTask()));
    }

    /// <summary>Ends the load; then everything that was acknowledged is there, once, and everything that consumers left comes again.</summary>
    public async Task FinishAsync(DanubeClient client, int starts, KillReport report)
    {
        long[] heard = [.. _consumers.Select(c => c.Received)];
        await Task.WhenAll(_producers.Select(p => p.FinishAsync()));
        await _end.CancelAsync();
        await Task.WhenAll(_longLivedConsumers);
        await AuditAsync(client, starts);
        foreach (LogLedger[] logs in _ledgers)
        {
            for (int i = 0; i < logs.Length; i++)
            {
                Assert.True(logs[i].AcknowledgedCount > 100, $"{logs[i].Log}: the load was too small to prove anything");
                if (logs[i] is TopicLedger ledger)
                {
                    await ledger.AuditFromStartAsync(client, _producers.Where(p => p.Lanes.Any(l => l.Ledger == ledger)).ToDictionary(p => p.Id, p => p.Lanes[i].Next));
                }
            }
        }

        await Parallel.ForEachAsync(_consumers, Options(), async (consumers, _) => await consumers.FinishAsync(client));
        await Parallel.ForEachAsync(Disk, Options(), async (ledger, _) => await ledger.AuditAsync(client)); // Faults that deliveries of the last round have shown.
        Assert.All(_consumers, c => Assert.True(c.Received > 0, $"{c.Topic.Name}: its consumers have received nothing"));
        Report(report);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_longLivedConsumers);
        foreach (LoadProducer producer in _producers)
        {
            await producer.StopAsync();
        }

        await _longLived.DisposeAsync();
        _end.Dispose();
    }

    public void Report(KillReport report)
    {
        foreach (string durability in new[] { "fsync", "os", "memory" })
        {
            report.Add($"messages acknowledged, {durability}", _topics.Select((t, i) => t.Durability == durability ? _ledgers[i].Sum(l => l.AcknowledgedCount) : 0).Sum());
        }

        report.Add("messages read back and compared", Disk.Sum(l => l.StoredCount));
        report.Add("payload bytes read back", Disk.Sum(l => l.ReadBytes));
        report.Add("logs under load", _ledgers.Sum(l => l.Length));
        report.Add("producers through all kills / of one round", $"{_producers.Count} / {_shortLived}");
        report.Add("messages received by consumers", _consumers.Sum(c => c.Received));
        report.Add("messages acknowledged by consumers", _consumers.Sum(c => c.Cursors.Sum(s => s.AcknowledgedCount)));
        report.Add("redelivered", _consumers.Sum(c => c.Cursors.Sum(s => s.Redelivered)));
        report.Add("topics created / deleted", $"{Churn.Created} / {Churn.Deleted}");
        report.Add("seeks / purges", $"{Moves.Seeks} / {Purging.Count}");
    }

    private static ParallelOptions Options() => new() { MaxDegreeOfParallelism = AuditsAtOnce };

    private IEnumerable<Task> Consume(LoadConsumers consumers, DanubeClient client, CancellationToken cancellation) =>
        Enumerable.Range(0, consumers.Count).Select(i => consumers.RunAsync(client, i, () => Volatile.Read(ref _round), cancellation));
}
