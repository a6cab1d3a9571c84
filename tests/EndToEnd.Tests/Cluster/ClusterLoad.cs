using System.Diagnostics;
using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>Traffic over a cluster while things go wrong, and the audit afterwards.</summary>
internal sealed class ClusterLoad : IAsyncDisposable
{
    private const int MostTopics = 45;

    private static readonly string[] Classes = ["memory", "os", "fsync"];

    private readonly ClusterUnderTest _cluster;
    private readonly DanubeClient _client;
    private readonly OwnerProbe _probe;
    private readonly List<string> _notes = [];

    private ClusterLoad(ClusterUnderTest cluster, DanubeClient client, List<AuditedTopic> topics, OwnerProbe probe)
    {
        _cluster = cluster;
        _client = client;
        _probe = probe;
        Topics = topics;
    }

    public IReadOnlyList<AuditedTopic> Topics { get; }

    /// <summary>What the scenario really was, for the report.</summary>
    public void Note(string what) => _notes.Add(what);

    /// <summary>A topic that this broker owns.</summary>
    public async Task<AuditedTopic> OwnedByAsync(int broker, string durability)
    {
        Dictionary<string, TopicPlace> places = await _cluster.PlacesAsync();
        return Topics.First(t => t.Durability == durability && places[t.Name].Owner == broker);
    }

    /// <summary>The broker that owns the topics of most classes: something to break.</summary>
    public async Task<int> BusiestAsync(int except = 0)
    {
        Dictionary<string, TopicPlace> places = await _cluster.PlacesAsync();
        return Topics.GroupBy(t => places[t.Name].Owner).Where(g => g.Key != except).OrderByDescending(g => g.Select(t => t.Durability).Distinct().Count()).First().Key;
    }

    public static async Task<ClusterLoad> StartAsync(ClusterUnderTest cluster, int topics = 9)
    {
        DanubeClient client = await cluster.ConnectAsync();
        List<AuditedTopic> all = [];
        do
        {
            string durability = Classes[all.Count / 3 % 3];
            var topic = new AuditedTopic($"/audit/{durability}-{all.Count}", durability, all.Count + 1);
            await ClusterUnderTest.CreateAsync(client, topic.Name, topic.Durability);
            all.Add(topic);
            await cluster.ServedAsync(all.Select(t => t.Name));
        }
        while (all.Count < topics || (all.Count < MostTopics && !IsEverywhere(all, await cluster.PlacesAsync(), cluster.Running.Count)));

        (string Topic, string Durability)[] probed = [("/probe/memory-0", "memory"), ("/probe/memory-1", "memory"), ("/probe/memory-2", "memory"), ("/probe/fsync", "fsync")];
        foreach ((string topic, string durability) in probed)
        {
            await ClusterUnderTest.CreateAsync(client, topic, durability);
        }

        await cluster.ServedAsync([.. all.Select(t => t.Name), .. probed.Select(p => p.Topic)]);
        var load = new ClusterLoad(cluster, client, all, new OwnerProbe(cluster.Ports, probed));
        foreach (AuditedTopic topic in all)
        {
            await topic.StartAsync(client);
        }

        await load.GoesOnAsync();
        return load;
    }

    /// <summary>Waits until every topic acknowledges new messages.</summary>
    public Task GoesOnAsync() => Task.WhenAll(Topics.Select(t => t.GoesOnAsync()));

    /// <summary>Waits until the topics of all other brokers acknowledge new messages.</summary>
    public async Task OthersGoOnAsync(int except)
    {
        Dictionary<string, TopicPlace> places = await _cluster.PlacesAsync();
        await Task.WhenAll(Topics.Where(t => places[t.Name].Owner != except).Select(t => t.GoesOnAsync()));
    }

    /// <summary>Topics of these that a broker owns, for the report; at least one.</summary>
    public async Task<string> OwnsAsync(int broker)
    {
        Dictionary<string, TopicPlace> places = await _cluster.PlacesAsync();
        string[] classes = [.. Topics.Where(t => places[t.Name].Owner == broker).Select(t => t.Durability)];
        Assert.NotEmpty(classes);
        return string.Join(" ", classes.CountBy(c => c).Select(c => $"{c.Value} {c.Key}"));
    }

    /// <summary>After the last fault: everything goes on, then everything is compared. Reports in one line.</summary>
    public async Task AuditAsync(string fault)
    {
        await _cluster.ServedAsync(Topics.Select(t => t.Name));
        await GoesOnAsync();
        long since = Stopwatch.GetTimestamp();
        await GoesOnAsync();
        await _probe.DisposeAsync();
        string owners = _probe.Check();
        long[] lost = await Task.WhenAll(Topics.Select(t => t.AuditAsync(_client, since)));
        string line = $"{Topics.Sum(t => t.Acknowledged)} acknowledged over {Topics.Count} topics, {Topics.Sum(t => t.Delivered)} delivered; os and fsync: 0 lost, 0 moved, 0 twice; memory: {lost.Sum()} lost with their owner; {owners}";
        LongMode.Report("Cluster, " + fault, string.Join("; ", [line, .. _notes]));
    }

    // A fault takes a broker that has something of memory and something that is stored; where topics go is the cluster's to say.
    private static bool IsEverywhere(List<AuditedTopic> topics, Dictionary<string, TopicPlace> places, int brokers) =>
        topics.GroupBy(t => places[t.Name].Owner).Count(g => g.Any(t => t.Durability == "memory") && g.Any(t => t.Durability != "memory")) == brokers;

    public async ValueTask DisposeAsync()
    {
        await _probe.DisposeAsync();
        await Task.WhenAll(Topics.Select(t => t.DisposeAsync().AsTask()));
        await _client.DisposeAsync();
    }
}
