using System.Text.Json;
using Danube.Fast.AdminCli;
using Danube.Fast.Client;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server;
using Danube.Fast.Server.Tests.Cluster;

namespace Danube.Fast.Cli.Tests;

/// <summary>Two brokers of one cluster in this process, and the two command lines beside them. Topics can be on either.</summary>
internal sealed class TwoBrokers : IAsyncDisposable
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(120);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("danube-cli-two-");
    private readonly EmbeddedMetadataStore _store;
    private readonly SharedStore[] _ways;
    private readonly List<BrokerHost> _brokers = [];

    private TwoBrokers()
    {
        _store = EmbeddedMetadataStore.Open(Path.Combine(_folder.FullName, "store"));
        _ways = [new SharedStore(_store), new SharedStore(_store)];
    }

    /// <summary>The first broker, for clients.</summary>
    public string Url => $"danube://{_brokers[0].NativeEndPoint}";

    private string Http => $"http://{_brokers[0].HttpEndPoint}";

    public static async Task<TwoBrokers> StartAsync()
    {
        var two = new TwoBrokers();
        try
        {
            for (int id = 1; id <= 2; id++)
            {
                two._brokers.Add(await BrokerHost.StartAsync(two.OptionsOf(id)));
            }

            // Before that a broker gets no topics.
            await UntilAsync("both brokers are ranked", async () =>
            {
                (int exitCode, string output, _) = await two.AdminAsync("cluster rankings --output json");
                return exitCode == 0 && JsonDocument.Parse(output).RootElement.GetProperty("brokers").EnumerateArray().Count(b => b.GetProperty("standing").GetString() == "ranked") == 2;
            });
            return two;
        }
        catch
        {
            await two.DisposeAsync();
            throw;
        }
    }

    public Task<(int ExitCode, string Output, string Error)> CliAsync(string line) => UsageTests.RunAsync(CliCommandLine.RunAsync, $"{line} --url {Url}");

    public Task<(int ExitCode, string Output, string Error)> AdminAsync(string line) => UsageTests.RunAsync(AdminCommandLine.RunAsync, $"{line} --url {Http}");

    /// <summary>
    /// Makes a topic with partitions, a subscription on each, and i + 1 messages in partition i. Names of its partitions that the second broker serves; the first one serves the others.
    /// </summary>
    public async Task<string[]> FillAsync(string topic, int partitions)
    {
        await using DanubeClient client = await DanubeClient.ConnectAsync(Url);
        await client.CreateTopicAsync(new TopicSpec { Topic = topic, Durability = "fsync", Partitions = partitions });
        await using (await client.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = "s", Start = "earliest" }))
        {
        }

        for (int i = 0; i < partitions; i++)
        {
            await using Client.Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = $"{topic}-part-{i}" });
            for (int message = 0; message <= i; message++)
            {
                await producer.SendAsync(new byte[10]);
            }
        }

        TopicInfo[] asFirstSees = await Task.WhenAll(Enumerable.Range(0, partitions).Select(i => client.DescribeTopicAsync($"{topic}-part-{i}")));
        Assert.All(asFirstSees, t => Assert.Equal("ok", t.State));
        List<string> second = [];
        foreach (string partition in asFirstSees.Select(t => t.Topic))
        {
            (_, string explained, _) = await AdminAsync($"cluster explain --topic {partition} --output json");
            if (JsonDocument.Parse(explained).RootElement.GetProperty("owner").GetInt32() == 2)
            {
                second.Add(partition);
            }
        }

        Assert.InRange(second.Count, 1, partitions - 1);
        return [.. second];
    }

    /// <summary>The orderly end of the second broker; what is stored with it waits for it.</summary>
    public async Task StopSecondAsync()
    {
        BrokerHost second = _brokers[1];
        _brokers.RemoveAt(1);
        await second.DisposeAsync();
    }

    /// <summary>From now on no broker reaches the metadata store.</summary>
    public void CutStore() => Array.ForEach(_ways, w => w.Cut());

    public void MendStore() => Array.ForEach(_ways, w => w.Mend());

    public static async Task UntilAsync(string what, Func<Task<bool>> holds)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < HangGuard, $"It took more than {HangGuard.TotalSeconds:0} s: {what}.");
            await Task.Delay(50);
        }
    }

    public async ValueTask DisposeAsync()
    {
        MendStore();
        foreach (BrokerHost broker in _brokers)
        {
            await broker.DisposeAsync();
        }

        await _store.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private BrokerOptions OptionsOf(int id) => new()
    {
        BrokerName = $"broker-{id}",
        Port = 0,
        HttpPort = 0,
        DataDirectory = Path.Combine(_folder.FullName, $"b{id}"),
        Wal = new WalSettings { LowSpaceBytes = 0 },
        Timeouts = new TimeoutOptions { DrainMs = 500 },
        MetaStore = MetaStore.Etcd,
        Cluster = new ClusterOptions { BrokerId = id, OpenStore = () => _ways[id - 1] },
    };
}
