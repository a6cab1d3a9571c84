using Danube.Fast.Core;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>
/// Two brokers, either of which may lead, one topic, one store, one clock: plays a script of steps and says what went wrong first.
/// </summary>
internal sealed class ClusterModel
{
    public const string Topic = "/default/t";
    public const int LeaseSeconds = 10;

    /// <summary>A step of the network: a write that its sender has given up is made after all.</summary>
    public const int LateArrival = 0;

    /// <summary>A step of time.</summary>
    public const int OneSecond = 1;

    private readonly int _handOverSeconds;
    private readonly List<(int Owner, long Epoch)> _servings = [];
    private string? _fault;

    /// <param name="durability">Of the topic.</param>
    /// <param name="handOverSeconds">Other than the product's, to see the model find what that breaks; 0: the product's.</param>
    public ClusterModel(DurabilityClass durability, int handOverSeconds = 0)
    {
        Durability = durability;
        _handOverSeconds = handOverSeconds;
        TopicId = Store.Commit(new MetadataTransaction().Put(ClusterKeys.Topic(Topic), new byte[1]));
        Brokers = [new ModelBroker(1, this), new ModelBroker(2, this)];
    }

    public static string Key { get; } = ClusterKeys.Assignment(Topic);

    public long TopicId { get; }

    public DurabilityClass Durability { get; }

    public ModelClock Clock { get; } = new();

    public ModelStore Store { get; } = new();

    public ModelBroker[] Brokers { get; }

    /// <summary>Transactions that were sent and given up; the store may make them later.</summary>
    public List<(MetadataTransaction Transaction, Assignment Next)> OnItsWay { get; } = [];

    /// <summary>How often an assignment began to be served: a run without any shows nothing.</summary>
    public int Servings => _servings.Count;

    /// <summary>How often the owner that began to serve was another one than before.</summary>
    public int Moves => _servings.Zip(_servings.Skip(1)).Count(p => p.First.Owner != p.Second.Owner);

    /// <summary>Null, or the first thing that must never happen.</summary>
    public string? Play(IEnumerable<(int Actor, int Choice, int Parameter)> script)
    {
        foreach ((int actor, int choice, int parameter) in script)
        {
            if (actor < Brokers.Length)
            {
                Brokers[actor].Step(choice, parameter);
            }
            else if (choice == LateArrival && OnItsWay.Count > 0)
            {
                int late = parameter % OnItsWay.Count;
                (MetadataTransaction transaction, Assignment next) = OnItsWay[late];
                OnItsWay.RemoveAt(late);
                Commit(transaction, next);
            }
            else if (choice == OneSecond)
            {
                Clock.Seconds++;
                Store.Expire(Clock.Seconds);
            }

            Check();
            if (_fault is not null)
            {
                return _fault;
            }
        }

        return null;
    }

    public bool IsGone(MemberAbsence absence, long session) =>
        _handOverSeconds == 0 ? absence.IsOver(session) : absence.SeenGoneFor(session) >= TimeSpan.FromSeconds(_handOverSeconds);

    /// <summary>Makes a write of an assignment and holds it against what may be written.</summary>
    public long Commit(MetadataTransaction transaction, Assignment next)
    {
        Assignment? before = Store.Find(Key) is { } entry ? Assignment.Decode(entry) : null;
        long revision = Store.Commit(transaction);
        if (revision > 0)
        {
            CheckWrite(before, next);
        }

        return revision;
    }

    private void CheckWrite(Assignment? before, Assignment next)
    {
        if (before is not null && next.Epoch < before.Epoch)
        {
            _fault ??= $"the epoch fell from {before.Epoch} to {next.Epoch}";
        }

        bool hasStored = before is not null && (before.StartOffset > 0 || before.State != AssignmentState.Assigned);
        if (before is not null && before.Owner != next.Owner && before.State != AssignmentState.Released && hasStored
            && Durability is DurabilityClass.Os or DurabilityClass.Fsync)
        {
            _fault ??= $"stored bytes of broker {before.Owner} were given to broker {next.Owner}";
        }

        if (next.State == AssignmentState.Serving && (before is null || before.State != AssignmentState.Releasing))
        {
            if (_servings.Any(s => s.Epoch >= next.Epoch))
            {
                _fault ??= $"epoch {next.Epoch} was served before";
            }

            _servings.Add((next.Owner, next.Epoch));
        }
    }

    private void Check()
    {
        ModelBroker[] serving = [.. Brokers.Where(b => b.MayAcknowledge)];
        if (serving.Length > 1)
        {
            _fault ??= $"both brokers may acknowledge, under epochs {serving[0].Epoch} and {serving[1].Epoch}, at second {Clock.Seconds}";
        }
    }
}

/// <summary>Whole seconds, moved by the script.</summary>
internal sealed class ModelClock : TimeProvider
{
    public int Seconds { get; set; } = 100;

    public override long TimestampFrequency => 1;

    public override long GetTimestamp() => Seconds;
}
