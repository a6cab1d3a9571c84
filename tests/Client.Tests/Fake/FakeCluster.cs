using System.Collections.Concurrent;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Fake brokers that know where each topic is. Every broker has a log of its own: what was acknowledged at one is not at another.</summary>
internal sealed class FakeCluster : IDisposable
{
    private readonly ConcurrentDictionary<string, int> _owners = new();
    private long _revision = 100;

    public FakeCluster(int brokers, bool named = true)
    {
        Brokers = [.. Enumerable.Range(0, brokers).Select(_ => new FakeBroker())];
        foreach (FakeBroker broker in Brokers)
        {
            int me = Array.IndexOf(Brokers, broker);
            broker.Brokers = named ? [.. Brokers.Select(AddressOf)] : null;
            broker.OnTopic = topic => OwnerOf(topic) is { } owner && owner != me ? Refuse(owner) : null;
            broker.OnLookup = lookup => Answer(lookup);
        }
    }

    public FakeBroker[] Brokers { get; }

    /// <summary>Lookups answered, with the revision that the client gave.</summary>
    public ConcurrentQueue<LookupRequest> Lookups { get; } = [];

    /// <summary>The owner of topics that nobody placed; -1: nobody.</summary>
    public int Default { get; set; }

    /// <summary>What a broker answers that does not serve the topic while nobody does.</summary>
    public ErrorCode WhenNobody { get; set; } = ErrorCode.NotOwner;

    /// <summary>Gives a topic to a broker; -1: to nobody.</summary>
    public void Place(string topic, int owner)
    {
        _owners[topic] = owner;
        Interlocked.Increment(ref _revision);
    }

    public void Dispose()
    {
        foreach (FakeBroker broker in Brokers)
        {
            broker.Dispose();
        }
    }

    private static string AddressOf(FakeBroker broker) => broker.Url["danube://".Length..];

    private int? OwnerOf(string topic) => topic.Length == 0 ? null : _owners.GetValueOrDefault(topic, Default);

    private (ErrorCode, RedirectPayload)? Refuse(int owner) => owner < 0
        ? (WhenNobody, new RedirectPayload { Revision = _revision, RetryMs = 5 })
        : (ErrorCode.NotOwner, new RedirectPayload { Broker = owner + 1, Address = AddressOf(Brokers[owner]), Revision = _revision });

    private LookupReply Answer(LookupRequest lookup)
    {
        Lookups.Enqueue(lookup);
        return OwnerOf(lookup.Topic) is >= 0 and { } owner
            ? new LookupReply { Result = LookupResults.Connect, Broker = owner + 1, Address = AddressOf(Brokers[owner]), Revision = _revision }
            : new LookupReply { Result = LookupResults.Retry, RetryMs = 5, Revision = _revision };
    }
}
