using System.Collections.Concurrent;
using System.Globalization;
using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// Where topics are served, as this broker knows it. It answers only while it can prove that it is a member: a broker that was cut off must
/// not send clients to where a topic once was.
/// Runs on: control requests. Shared with: the view, which tells who is there.
/// </summary>
internal sealed class TopicLookup
{
    private const int SoonMs = 100, LaterMs = 1000, UnprovenMs = 500;
    private static readonly TimeSpan CatchUp = TimeSpan.FromSeconds(5);

    private readonly int _me;
    private readonly ClusterView _view;
    private readonly Func<bool> _isProven;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<int, long> _goneSince = new();
    private IReadOnlyDictionary<int, (MemberRecord Record, long Session)> _seen = new Dictionary<int, (MemberRecord, long)>();

    /// <param name="me">This broker's id.</param>
    /// <param name="view">What is known of the cluster; to be opened after this.</param>
    /// <param name="isProven">Whether this broker can prove now that it is a member.</param>
    /// <param name="time">Wall clock: since when a broker is away is told to people.</param>
    public TopicLookup(int me, ClusterView view, Func<bool> isProven, TimeProvider time)
    {
        _me = me;
        _view = view;
        _isProven = isProven;
        _time = time;
        view.Changed += OnChanged;
    }

    /// <summary>Why a topic could not be opened here the last time; null when it could.</summary>
    public Func<string, string?>? FailureHere { get; set; }

    /// <summary>This broker can prove now that it is a member.</summary>
    public bool IsProven => _isProven();

    /// <summary>Addresses of the brokers that are there.</summary>
    public string[] Addresses => [.. _view.Members.OrderBy(m => m.Key).Select(m => m.Value.Record.Address)];

    /// <summary>Answers a lookup, as of the revision that the client has seen or a later one.</summary>
    public async ValueTask<Answer<LookupReply>> FindAsync(string topic, long revision, CancellationToken cancellationToken)
    {
        if (!TopicName.TryParse(topic, out _))
        {
            return new Refusal(ErrorCode.BadTopicName, $"'{TopicRegistry.Shorten(topic)}' is no topic name: it takes the form /namespace/name.");
        }

        if (!await CatchUpAsync(revision, cancellationToken) || !_isProven())
        {
            return Unproven();
        }

        return _view.TryGetTopic(topic, out TopicDefinition? definition) && definition.State != TopicState.Deleting ? Locate(definition)
            : UnreadableRecord(topic) is { } unreadable ? unreadable
            : new Refusal(ErrorCode.TopicNotFound, $"There is no topic {TopicRegistry.Shorten(topic)}.");
    }

    /// <summary>The refusal for a topic whose record is there and cannot be read here: it exists, and may not be made again. Null for any other.</summary>
    public Refusal? UnreadableRecord(string topic) => _view.IsUnreadable(ClusterKeys.Topic(topic)) ? Unreadable(topic) : null;

    /// <summary>A topic's record cannot be read by this version of the broker.</summary>
    public static Refusal Unreadable(string topic) => new(
        ErrorCode.Unavailable,
        $"The record of topic {TopicRegistry.Shorten(topic)} cannot be read by this broker, whose log says why: ask another one, or let brokers of a later version serve the cluster.");

    /// <summary>Why a topic that is not open here is refused, with where to go. Also for one that is open while this broker cannot prove anything.</summary>
    public Refusal RefusalFor(TopicDefinition definition)
    {
        if (!_isProven())
        {
            return Unproven();
        }

        LookupReply found = Locate(definition);
        var redirect = new RedirectPayload
        {
            Broker = found.Broker,
            Address = found.Broker == _me ? "" : found.Address,
            Epoch = found.Epoch,
            Revision = found.Revision,
            RetryMs = found.Broker == _me && found.RetryMs == 0 ? SoonMs : found.RetryMs,
            WaitingSince = found.WaitingSince,
        };
        return found.Result switch
        {
            LookupResults.Waiting => new Refusal(ErrorCode.TopicWaiting, found.Message!, redirect),
            LookupResults.Connect when found.Broker != _me => new Refusal(ErrorCode.NotOwner, $"Topic {definition.Topic} is served by broker {found.Broker} at {found.Address}.", redirect),
            _ => new Refusal(ErrorCode.NotOwner, found.Message ?? $"Topic {definition.Topic} is being opened by this broker: try again in a moment.", redirect),
        };
    }

    /// <summary>The refusal of a broker that cannot prove that it is a member.</summary>
    public Refusal Unproven() => new(
        ErrorCode.OwnerUnproven,
        "This broker cannot reach the metadata store and so cannot prove what it owns: ask another broker, or again in a moment.",
        new RedirectPayload { RetryMs = UnprovenMs, Revision = _view.Revision });

    /// <summary>A client that knows a higher epoch than this broker has met a later owner.</summary>
    public Refusal HigherEpoch(string topic) => new(
        ErrorCode.NotOwner,
        $"You know a later owner of topic {topic} than this broker: the store is being asked.",
        new RedirectPayload { RetryMs = SoonMs, Revision = _view.Revision });

    private LookupReply Locate(TopicDefinition definition)
    {
        if (definition.IsBase)
        {
            string here = _view.Members.TryGetValue(_me, out (MemberRecord Record, long Session) me) ? me.Record.Address : "";
            return new LookupReply { Result = LookupResults.Connect, Broker = _me, Address = here, Revision = _view.Revision, Partitions = definition.Partitions };
        }

        if (!_view.TryGetAssignment(definition.Topic, out _, out Assignment? assignment) || assignment.Owner == 0)
        {
            return Retry(0, _view.IsUnreadable(ClusterKeys.Assignment(definition.Topic))
                ? $"The assignment of topic {definition.Topic} cannot be read by this broker, whose log says why."
                : $"Topic {definition.Topic} is not assigned to a broker yet.");
        }

        bool isThere = _view.Members.TryGetValue(assignment.Owner, out (MemberRecord Record, long Session) owner);
        return assignment.State switch
        {
            AssignmentState.Released => Retry(0, $"Topic {definition.Topic} was given up by broker {assignment.Owner} and is about to be assigned."),
            AssignmentState.Failed => Waiting(definition, assignment, $"broker {assignment.Owner} cannot open it: {assignment.Reason}"),
            _ when !isThere => Away(definition, assignment),
            AssignmentState.Assigned => Retry(assignment.Owner, $"Topic {definition.Topic} is being opened by broker {assignment.Owner}."),
            _ when owner.Session != assignment.Session && assignment.Owner == _me && FailureHere?.Invoke(definition.Topic) is { } failure =>
                Waiting(definition, assignment, $"this broker cannot open it: {failure}"),
            _ when owner.Session != assignment.Session => Retry(assignment.Owner, $"Topic {definition.Topic} is being opened again by broker {assignment.Owner}."),
            _ => new LookupReply
            {
                Result = LookupResults.Connect,
                Broker = assignment.Owner,
                Address = owner.Record.Address,
                Epoch = (uint)assignment.Epoch,
                Revision = _view.Revision,
            },
        };
    }

    // Its owner's member key is not there.
    private LookupReply Away(TopicDefinition definition, Assignment assignment)
    {
        bool isHandedOn = definition.Class is DurabilityClass.Memory or DurabilityClass.Object || assignment is { State: AssignmentState.Assigned, StartOffset: 0 };
        return isHandedOn
            ? Retry(assignment.Owner, $"Broker {assignment.Owner}, which served topic {definition.Topic}, is away: another one takes over soon.", LaterMs)
            : Waiting(definition, assignment, $"broker {assignment.Owner} has its data and is away");
    }

    private LookupReply Waiting(TopicDefinition definition, Assignment assignment, string why)
    {
        long since = _goneSince.GetOrAdd(assignment.Owner, _ => NowMs);
        string when = DateTimeOffset.FromUnixTimeMilliseconds(since).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return new LookupReply
        {
            Result = LookupResults.Waiting,
            Broker = assignment.Owner,
            Revision = _view.Revision,
            RetryMs = LaterMs,
            WaitingSince = since,
            Message = $"Topic {definition.Topic} waits since {when}: {why}. It returns with broker {assignment.Owner}, or empty with: danube admin topics recreate {definition.Topic} --lose-data.",
        };
    }

    private LookupReply Retry(int broker, string message, int afterMs = SoonMs) =>
        new() { Result = LookupResults.Retry, Broker = broker, Revision = _view.Revision, RetryMs = afterMs, Message = message };

    private async ValueTask<bool> CatchUpAsync(long revision, CancellationToken cancellationToken)
    {
        if (_view.Revision >= revision)
        {
            return true;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(CatchUp);
        try
        {
            await _view.WaitForAsync(revision, patience.Token);
            return true;
        }
        catch (Exception e) when (e is IOException or TimeoutException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    // On the view's loop: one call at a time.
    private void OnChanged()
    {
        IReadOnlyDictionary<int, (MemberRecord Record, long Session)> members = _view.Members;
        if (ReferenceEquals(members, _seen))
        {
            return;
        }

        foreach (int gone in _seen.Keys.Where(b => !members.ContainsKey(b)))
        {
            _goneSince[gone] = NowMs;
        }

        foreach (int back in members.Keys)
        {
            _goneSince.TryRemove(back, out _);
        }

        _seen = members;
    }
}
