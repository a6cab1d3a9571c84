using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Topics;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// What this broker knows of the cluster: one <see cref="MetadataView"/> over all keys, decoded as changes arrive. One view, so that a
/// topic, its assignment and its subscriptions are seen as of one revision. It may be old; every write compares what it depends on.
/// Runs on: the view's loop writes. Shared with: any thread reads.
/// </summary>
internal sealed partial class ClusterView : IAsyncDisposable
{
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<string, AssignmentEntry> _assignments = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TopicDefinition> _topics = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ulong, ImmutableDictionary<string, SubscriptionDefinition>> _subscriptions = new();
    private readonly ConcurrentDictionary<int, ModeEntry> _modes = new();
    private readonly ConcurrentDictionary<string, MetadataEntry> _remakes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _unreadable = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (long TopicId, long Epoch)> _epochsLost = new(StringComparer.Ordinal);
    private volatile MembersOf _members = new([]);
    private volatile LeaderEntry? _leader;
    private MetadataView? _view;

    /// <summary>Knows nothing until <see cref="OpenAsync"/>.</summary>
    /// <param name="log">Told of records that cannot be read.</param>
    public ClusterView(ILogger log) => _log = log;

    /// <summary>Told after each revision was taken in: something may have changed. Called on the view's loop; must be quick and not throw.</summary>
    public event Action? Changed;

    /// <summary>Told of each revision's changes, in order, after they can be read here. Called on the view's loop; must be quick and not throw.</summary>
    public event Action<MetadataRevision>? Revised;

    /// <summary>The revision of the store that this view shows, as far as it has taken it in.</summary>
    public long Revision => _view?.ToldRevision ?? 0;

    /// <summary>Time since the store last said anything.</summary>
    public TimeSpan? Age => _view?.Age;

    /// <summary>Why nothing more is taken in; null while the store is followed.</summary>
    public Exception? Failure => _view?.Completion.Exception?.InnerException;

    /// <summary>The listing has been taken in.</summary>
    public bool IsOpen => _view is not null;

    /// <summary>All keys as they stand; once <see cref="IsOpen"/>.</summary>
    public MetadataSnapshot Snapshot => _view!.Snapshot;

    /// <summary>The brokers whose member keys are there.</summary>
    public IReadOnlyDictionary<int, (MemberRecord Record, long Session)> Members => _members.ById;

    /// <summary>Who leads, with the token of the leadership (create revision of the leader key); null when nobody does.</summary>
    public (LeaderRecord Record, long Token)? Leader => _leader is { } leader ? (leader.Record, leader.Token) : null;

    /// <summary>All assignments.</summary>
    public IEnumerable<(string Topic, Assignment A, MetadataEntry E)> Assignments => _assignments.Select(a => (a.Key, a.Value.Assignment, a.Value.Entry));

    /// <summary>All topics of the catalogue, also those that are being made or deleted.</summary>
    public IEnumerable<TopicDefinition> Topics => _topics.Values;

    /// <summary>Lists everything, which is the first revision that listeners are told of, and begins to follow.</summary>
    /// <param name="store">The store; it must outlive the view.</param>
    /// <param name="options">Times.</param>
    /// <param name="cancellationToken">Gives up opening.</param>
    /// <exception cref="MetadataUnavailableException">The store did not answer in time; nothing was told, try again.</exception>
    public async Task OpenAsync(IMetadataStore store, MetadataViewOptions options, CancellationToken cancellationToken)
    {
        _view = await MetadataView.OpenAsync(store, "", options, Apply, cancellationToken);
        _ = _view.Completion.ContinueWith(
            ended => Log.ViewEnded(_log, ended.Exception!), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    /// <summary>Waits until this view shows a revision: when the watch does not bring it within a second, the view compares itself with the store.</summary>
    public async ValueTask WaitForAsync(long revision, CancellationToken cancellationToken)
    {
        if (Revision < revision)
        {
            await _view!.WaitForRevisionAsync(revision, cancellationToken);
        }
    }

    /// <summary>Compares this view with the store now.</summary>
    public Task CompareAsync(CancellationToken cancellationToken) => _view!.CompareAsync(cancellationToken);

    /// <summary>The highest epoch of a topic that the store has shown and no longer does, because it went back to an older state; 0 for none. Clients know it too.</summary>
    public long LostEpochOf(string topic, long topicId) => _epochsLost.TryGetValue(topic, out (long TopicId, long Epoch) lost) && lost.TopicId == topicId ? lost.Epoch : 0;

    /// <summary>Who owns a topic.</summary>
    public bool TryGetAssignment(string topic, [NotNullWhen(true)] out MetadataEntry? entry, [NotNullWhen(true)] out Assignment? assignment)
    {
        bool isThere = _assignments.TryGetValue(topic, out AssignmentEntry? found);
        (entry, assignment) = (found?.Entry, found?.Assignment);
        return isThere;
    }

    /// <summary>A topic of the catalogue, also one that is being made or deleted.</summary>
    public bool TryGetTopic(string topic, [NotNullWhen(true)] out TopicDefinition? definition) => _topics.TryGetValue(topic, out definition);

    /// <summary>Recorded subscriptions of a topic, by name.</summary>
    public IReadOnlyDictionary<string, SubscriptionDefinition> SubscriptionsOf(ulong topicId) =>
        _subscriptions.GetValueOrDefault(topicId) ?? NoSubscriptions;

    /// <summary>Topic ids under which subscriptions are recorded, also of topics that are gone.</summary>
    public IEnumerable<ulong> TopicsWithSubscriptions => _subscriptions.Keys;

    /// <summary>Records of topics that are between their deletion and their creation.</summary>
    public IEnumerable<MetadataEntry> Remakes => _remakes.Values;

    /// <summary>This topic is one of them.</summary>
    public bool IsRemade(string topic) => _remakes.ContainsKey(topic);

    /// <summary>True when a record is there that this version of the broker cannot read: it counts as absent, but what belongs to it must stay.</summary>
    public bool IsUnreadable(string key) => _unreadable.ContainsKey(key);

    /// <summary>True when there is such a record under a prefix.</summary>
    public bool HasUnreadable(string prefix) => _unreadable.Keys.Any(k => k.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Create revisions of the topics whose records cannot be read.</summary>
    public IEnumerable<long> UnreadableTopics => _unreadable.Where(r => ClusterKeys.TopicOfTopic(r.Key) is not null).Select(r => r.Value);

    /// <summary>What an operator wants of a broker; active when nothing is recorded.</summary>
    public BrokerMode ModeOf(int broker) => _modes.TryGetValue(broker, out ModeEntry? mode) ? mode.Record.Mode : BrokerMode.Active;

    /// <summary>A broker that is there, active, and not shutting down.</summary>
    public bool TakesTopics(int broker) => ModeOf(broker) == BrokerMode.Active && Members.TryGetValue(broker, out (MemberRecord Record, long Session) member) && !member.Record.IsStopping;

    /// <summary>The entry behind <see cref="ModeOf"/>, which a write compares; null for none.</summary>
    public MetadataEntry? ModeEntryOf(int broker) => _modes.TryGetValue(broker, out ModeEntry? mode) ? mode.Entry : null;

    /// <summary>Brokers for which a mode is recorded.</summary>
    public IEnumerable<(int Broker, ModeRecord Record, MetadataEntry Entry)> Modes => _modes.Select(m => (m.Key, m.Value.Record, m.Value.Entry));

    /// <summary>Ends the watch.</summary>
    public ValueTask DisposeAsync() => _view?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static ImmutableDictionary<string, SubscriptionDefinition> NoSubscriptions { get; } =
        ImmutableDictionary.Create<string, SubscriptionDefinition>(StringComparer.Ordinal);

    private sealed record AssignmentEntry(Assignment Assignment, MetadataEntry Entry);

    private sealed record ModeEntry(ModeRecord Record, MetadataEntry Entry);

    private sealed record LeaderEntry(LeaderRecord Record, long Token);

    // A class around the dictionary, so that it can be replaced in one go.
    private sealed record MembersOf(Dictionary<int, (MemberRecord Record, long Session)> ById);
}
