using System.Diagnostics;
using System.Globalization;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Demo.Cluster;

/// <summary>
/// One run of <c>demo --cluster</c>: brokers share topics through etcd; one is killed and comes back, and everything that was promised is
/// verified. All files are below <paramref name="folder"/>; the caller removes it.
/// </summary>
internal sealed class ClusterDemoRun(string folder, int brokers, TextWriter output, TextWriter error)
{
    private const int TopicsPerBroker = 4;
    private static readonly TimeSpan FollowLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PatienceLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Traffic = TimeSpan.FromSeconds(3);

    private readonly DemoOutcome _outcome = new(output, error);
    private readonly BrokerProcess?[] _running = new BrokerProcess?[brokers];
    private readonly int[] _ports = DemoEtcd.FreePorts(brokers);
    private string _etcd = "";

    /// <summary>Runs everything; returns the exit code.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using DemoEtcd etcd = await DemoEtcd.StartAsync(folder, cancellationToken);
        _etcd = etcd.Url;
        _outcome.Say($"etcd         process {etcd.ProcessId} at {etcd.Url}, files in {folder}");
        try
        {
            await Task.WhenAll(Enumerable.Range(0, brokers).Select(i => StartAsync(i, cancellationToken)));
            for (int i = 0; i < brokers; i++)
            {
                _outcome.Say($"broker {i + 1}     process {_running[i]!.ProcessId} at {_running[i]!.Url}");
            }

            await ShowAsync(cancellationToken);
            for (int i = 0; i < brokers; i++)
            {
                _outcome.Verify(_running[i] is { } broker && await broker.StopAsync() == 0, $"broker {i + 1} did not stop cleanly");
            }
        }
        finally
        {
            foreach (BrokerProcess? broker in _running)
            {
                if (broker is not null)
                {
                    await broker.DisposeAsync();
                }
            }
        }

        if (await _outcome.HasFailedAsync())
        {
            return CliCommandLine.Failure;
        }

        _outcome.Say("stopped      the brokers and etcd; the folder is removed");
        return CliCommandLine.Success;
    }

    private async Task ShowAsync(CancellationToken cancellationToken)
    {
        DemoTopic[] topics = [.. Enumerable.Range(0, TopicsPerBroker * brokers).Select(i => i % 2 == 0
            ? new DemoTopic($"/demo/memory-{(i / 2) + 1}", "memory") : new DemoTopic($"/demo/fsync-{(i / 2) + 1}", "fsync"))];
        var clients = new List<DanubeClient>();
        try
        {
            for (int i = 0; i < brokers; i++)
            {
                clients.Add(await DanubeClient.ConnectAsync(_running[i]!.Url, null, cancellationToken));
            }

            foreach (DemoTopic topic in topics)
            {
                await CreateAsync(clients[0], topic, cancellationToken);
            }

            Dictionary<string, LookupReply> places = [];
            bool served = await UntilAsync(PatienceLimit, Stopwatch.GetTimestamp(), async () =>
            {
                places = await PlacesAsync(0, topics, cancellationToken);
                return places.Values.All(p => p.Result == LookupResults.Connect);
            }, cancellationToken);
            _outcome.Verify(served, "not all topics were served");
            int[] counts = [.. Enumerable.Range(1, brokers).Select(b => places.Values.Count(p => p.Broker == b))];
            _outcome.Say($"topics       {topics.Length} ({topics.Count(t => !t.IsFsync)} memory, {topics.Count(t => t.IsFsync)} fsync), spread {string.Join('/', counts)}");
            _outcome.Verify(counts.All(c => c == TopicsPerBroker), $"the topics are spread {string.Join('/', counts)}");
            for (int i = 0; i < topics.Length; i++)
            {
                await topics[i].StartAsync(clients[i % brokers], clients[(i + 1) % brokers], cancellationToken);
            }

            await Task.Delay(Traffic, cancellationToken);
            _outcome.Say($"traffic      through any broker: {topics.Sum(t => t.Acknowledged):N0} messages acknowledged, {topics.Sum(t => t.Received):N0} received");
            _outcome.Verify(topics.All(t => t.Acknowledged > 0 && t.Received > 0), "a topic has no traffic");
            await KillAndReturnAsync(topics, places, cancellationToken);
            await Task.Delay(Traffic, cancellationToken);
            await AuditAsync(topics, cancellationToken);
        }
        finally
        {
            foreach (IAsyncDisposable part in topics.Concat<IAsyncDisposable>(clients))
            {
                await part.DisposeAsync();
            }
        }
    }

    // On a busy machine a topic is created before it is served: the client asks again, and is told that it exists.
    private static async Task CreateAsync(DanubeClient client, DemoTopic topic, CancellationToken cancellationToken)
    {
        try
        {
            await client.CreateTopicAsync(new TopicSpec { Topic = topic.Name, Durability = topic.Durability }, cancellationToken);
        }
        catch (DanubeException e) when (e.Code == ErrorCode.TopicExists)
        {
            // Waited for with the others.
        }
    }

    private async Task KillAndReturnAsync(DemoTopic[] topics, Dictionary<string, LookupReply> places, CancellationToken cancellationToken)
    {
        // The one that has topics of both kinds, and not the one that was asked so far.
        int victim = Enumerable.Range(2, brokers - 1).OrderByDescending(b => Math.Min(Count(b, true), Count(b, false))).First();
        int other = victim == 2 ? 0 : 1;
        DemoTopic[] lost = [.. topics.Where(t => !t.IsFsync && places[t.Name].Broker == victim)];
        DemoTopic[] waiting = [.. topics.Where(t => t.IsFsync && places[t.Name].Broker == victim)];
        await _running[victim - 1]!.DisposeAsync();
        long killed = Stopwatch.GetTimestamp();
        _outcome.Say($"killed       broker {victim}: it had {lost.Length} memory and {waiting.Length} fsync topics");
        long[] before = [.. lost.Select(t => t.Acknowledged)];
        bool moved = await UntilAsync(FollowLimit, killed, async () =>
            (await PlacesAsync(other, lost, cancellationToken)).Values.All(p => p.Result == LookupResults.Connect && p.Broker != victim), cancellationToken);
        _outcome.Say($"moved        its memory topics are served elsewhere {Seconds(killed)} after the kill");
        _outcome.Verify(moved, "the memory topics were not served elsewhere within 30 s");
        bool told = await UntilAsync(FollowLimit, killed, async () =>
            (await PlacesAsync(other, waiting, cancellationToken)).Values.All(p => p.Result == LookupResults.Waiting), cancellationToken);
        _outcome.Verify(told, "the fsync topics did not answer 'waiting' within 30 s");
        foreach (DemoTopic topic in waiting.Take(1))
        {
            _outcome.Say($"waiting      {topic.Name}: {await RefusalAsync(other, topic, cancellationToken)}");
        }

        bool goesOn = await UntilAsync(PatienceLimit, killed, () => Task.FromResult(lost.Zip(before).All(p => p.First.Acknowledged > p.Second + 50)), cancellationToken);
        _outcome.Verify(goesOn, "publishing to the moved topics did not go on");
        long started = Stopwatch.GetTimestamp();
        before = [.. waiting.Select(t => t.Acknowledged)];
        await StartAsync(victim - 1, cancellationToken);
        bool back = await UntilAsync(PatienceLimit, started, () => Task.FromResult(waiting.Zip(before).All(p => p.First.Acknowledged > p.Second)), cancellationToken);
        _outcome.Say($"back         broker {victim}; its fsync topics go on {Seconds(started)} after its start");
        _outcome.Verify(back, "the fsync topics did not go on when their broker was back");

        int Count(int broker, bool isFsync) => topics.Count(t => t.IsFsync == isFsync && places[t.Name].Broker == broker);
    }

    private async Task AuditAsync(DemoTopic[] topics, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(PatienceLimit);
        try
        {
            await Task.WhenAll(topics.Select(t => t.FinishAsync(limit.Token)));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _outcome.Verify(false, "not everything that was sent was acknowledged and received in time");
        }

        DemoTopic[] fsync = [.. topics.Where(t => t.IsFsync)];
        foreach (DemoTopic topic in topics)
        {
            _outcome.Verify(topic.Fault is null, topic.Fault!);
            _outcome.Verify(topic.Acknowledged == topic.Sent, $"{topic.Name}: {topic.Sent:N0} sent, {topic.Acknowledged:N0} acknowledged");
            _outcome.Verify(!topic.IsFsync || topic.Received == topic.Sent, $"{topic.Name}: {topic.Sent:N0} sent, {topic.Received:N0} received");
        }

        _outcome.Say($"fsync        {fsync.Sum(t => t.Acknowledged):N0} acknowledged, {fsync.Sum(t => t.Received):N0} received, each once, in order, at dense offsets");
        DemoTopic[] memory = [.. topics.Where(t => !t.IsFsync)];
        _outcome.Say($"memory       {memory.Sum(t => t.Acknowledged):N0} acknowledged, {memory.Sum(t => t.Received):N0} received (what the killed broker had in memory is gone)");
    }

    // What somebody who comes anew is told.
    private async Task<string> RefusalAsync(int broker, DemoTopic topic, CancellationToken cancellationToken)
    {
        try
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(_running[broker]!.Url, null, cancellationToken);
            await using Client.Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = topic.Name }, cancellationToken);
            _outcome.Verify(false, $"{topic.Name} took a producer while its broker was away");
            return "";
        }
        catch (DanubeException e)
        {
            _outcome.Verify(e.Code == ErrorCode.TopicWaiting, $"{topic.Name} refused a producer with {e.Code}: {e.Message}");
            return e.Message;
        }
    }

    // Every topic is found, or the limit is over.
    private async Task<Dictionary<string, LookupReply>> PlacesAsync(int broker, DemoTopic[] topics, CancellationToken cancellationToken)
    {
        using TopicPlaces places = await TopicPlaces.ConnectAsync(_running[broker]!.Url["danube://".Length..], cancellationToken);
        var found = new Dictionary<string, LookupReply>(StringComparer.Ordinal);
        foreach (DemoTopic topic in topics)
        {
            found[topic.Name] = await places.FindAsync(topic.Name, cancellationToken) ?? new LookupReply { Result = LookupResults.Retry };
        }

        return found;
    }

    private async Task StartAsync(int index, CancellationToken cancellationToken)
    {
        string config = Path.Combine(folder, $"broker-{index + 1}.yml");
        await File.WriteAllTextAsync(config, string.Create(CultureInfo.InvariantCulture, $"""
            meta_store: etcd
            broker:
              id: {index + 1}
            etcd:
              endpoints: {_etcd}
            wal:
              journal_bytes: 16MiB
            """), cancellationToken);
        string name = $"broker-{index + 1}-{Stopwatch.GetTimestamp()}";
        _running[index] = await BrokerProcess.StartAsync(
            ChildProcess.Broker, Path.Combine(folder, $"data-{index + 1}"), Path.Combine(folder, name + ".log"), _ports[index], config, cancellationToken);
    }

    private static async Task<bool> UntilAsync(TimeSpan limit, long since, Func<Task<bool>> holds, CancellationToken cancellationToken)
    {
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(since) > limit)
            {
                return false;
            }

            await Task.Delay(Pause, cancellationToken);
        }

        return true;
    }

    private static string Seconds(long since) => string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(since).TotalSeconds:N1} s");
}
