using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// One subscription of a topic: a cursor, its consumers and a dispatcher. Consumers come and go in Subscription.Consumers.cs,
/// acknowledgements and credit in Subscription.Acks.cs, saving and seeking in Subscription.Persistence.cs.
/// Everything is under one lock that is held for bounded steps only: an ack frame, or one run of the log.
/// Runs on: connection threads, the dispatcher's pool thread, the server's timer. Shared with: no other subscription.
/// </summary>
public sealed partial class Subscription
{
    private readonly List<Consumer> _consumers = [];
    private readonly Dispatcher _dispatcher;
    private ErrorCode _closedWith;
    private string _closedText = "";
    private volatile SubscriptionRules _rules = new();

    internal Subscription(Topic topic, string name, SubscriptionType type, Cursor cursor)
    {
        Topic = topic;
        Name = name;
        Type = type;
        Cursor = cursor;
        _enqueuedFrom = cursor.MarkDelete + cursor.AcknowledgedBeyond;
        _savedMarkDelete = cursor.MarkDelete;
        _dispatcher = new Dispatcher(this, _consumers);
    }

    public string Name { get; }

    public SubscriptionType Type { get; }

    /// <summary>Raised whenever delivery starts again from mark-delete: an exclusive consumer that attaches, a takeover, a seek.</summary>
    public uint Epoch
    {
        get
        {
            lock (Gate)
            {
                return Cursor.Epoch;
            }
        }
    }

    /// <summary>First offset that is not acknowledged.</summary>
    public long MarkDelete
    {
        get
        {
            lock (Gate)
            {
                return Cursor.MarkDelete;
            }
        }
    }

    /// <summary>Visible records that are not acknowledged. Exact.</summary>
    public long Backlog
    {
        get
        {
            lock (Gate)
            {
                return Cursor.Backlog(Topic.Log.Visible);
            }
        }
    }

    internal Topic Topic { get; }

    /// <summary>Guards everything of the subscription. Taken after <see cref="_saving"/>, before nothing else of the engine.</summary>
    internal Lock Gate { get; } = new();

    internal Cursor Cursor { get; }

    /// <summary>The dispatcher has nothing to do and is not about to look.</summary>
    internal bool IsIdle => _dispatcher.IsIdle;

    /// <summary>Null on ordered subscriptions, where keys do not matter.</summary>
    internal KeyTable? Keys => _dispatcher.Keys;

    private bool IsOrdered => Type is SubscriptionType.Exclusive or SubscriptionType.Failover;

    /// <summary>Rules for records that are not acknowledged.</summary>
    public SubscriptionRules Rules => _rules;

    /// <summary>Changes the rules. A subscription that is blocked under the former ones goes on.</summary>
    public void SetRules(SubscriptionRules rules)
    {
        lock (Gate)
        {
            _rules = rules;
            _dispatcher.OnRulesChanged();
        }

        _dispatcher.Schedule();
    }

    internal void OnData() => _dispatcher.OnData();

    internal void OnLogStart() => _dispatcher.Schedule();

    /// <summary>Time-driven work, about once a second.</summary>
    internal void Tick()
    {
        lock (Gate)
        {
            Cursor.Trim();
            _dispatcher.Tick();
            if (!CheckTimeouts())
            {
                return;
            }
        }

        _dispatcher.Schedule();
    }

    /// <summary>Closes the channels of all consumers; nothing is read or sent afterwards. Idempotent.</summary>
    internal void Close(ErrorCode code, string text)
    {
        lock (Gate)
        {
            if (_closedWith != ErrorCode.None)
            {
                return;
            }

            _closedWith = code;
            _closedText = text;
            CloseConsumers(code, text);
            _dispatcher.Close();
        }
    }
}
