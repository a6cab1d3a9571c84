using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>
/// One broker of the model: the product's own rules, writes, ownership, proof and absence; around them steps that the test interleaves.
/// Whatever goes over the network is three steps: sent, made at the store, answered; a broker that takes no step is frozen.
/// </summary>
internal sealed class ModelBroker(int id, ClusterModel model)
{
    public const int Dies = 15;
    public const int WholeTurn = 16;

    private readonly string _memberKey = ClusterKeys.Member(id);
    private readonly OwnerProof _proof = new(model.Clock);
    private readonly MemberAbsence _absence = new(model.Clock);
    private TopicOwnership _ownership = new(ClusterModel.Topic, id);
    private MetadataSnapshot _view = model.Store.States[0];
    private long _lease;
    private long _leaderToken;
    private Proving? _proving;
    private Writing? _writing;

    public int Id => id;

    public bool IsAlive { get; private set; } = true;

    public long Session { get; private set; }

    /// <summary>Highest epoch in the log on the disk; survives a crash.</summary>
    public long LogEpoch { get; private set; }

    /// <summary>It would decide an ack now.</summary>
    public bool MayAcknowledge => IsAlive && _ownership.Serves(Session) && _proof.Covers(Session);

    public long Epoch => _ownership.Known!.Epoch;

    public void Step(int choice, int parameter)
    {
        if (!IsAlive)
        {
            if (choice is 0 or WholeTurn)
            {
                IsAlive = true;
            }

            return;
        }

        switch (choice)
        {
            case 0: Register(); break;
            case 1: model.Store.Renew(_lease, model.Clock.Seconds + ClusterModel.LeaseSeconds); break;
            case 2: SendProof(); break;
            case 3: MakeProof(); break;
            case 4: ReceiveProof(); break;
            case 5: See(parameter); break;
            case 6: SendServe(); break;
            case 7: MakeWrite(); break;
            case 8: ReceiveWrite(isLost: false); break;
            case 9: ReceiveWrite(isLost: true); break;
            case 10: SendRelease(shutsDown: parameter % 8 == 0); break;
            case 11: Campaign(); break;
            case 12: Assign(parameter); break;
            case 13: AskForRelease(parameter); break;
            case 14: ReadBack(); break;
            case Dies: Crash(); break;
            default: TakeTurn(parameter); break;
        }
    }

    // What a healthy broker does one after the other.
    private void TakeTurn(int parameter)
    {
        Register();
        model.Store.Renew(_lease, model.Clock.Seconds + ClusterModel.LeaseSeconds);
        SendProof();
        MakeProof();
        ReceiveProof();
        See(parameter);
        SendServe();
        MakeWrite();
        ReceiveWrite(isLost: false);
        SendRelease(shutsDown: false);
        Campaign();
        Assign(parameter);
    }

    // What it has sent may still arrive.
    private void Crash()
    {
        if (_writing is { IsMade: false } w)
        {
            model.OnItsWay.Add((w.Transaction, w.Next));
        }

        IsAlive = false;
        Session = 0;
        _lease = 0;
        _leaderToken = 0;
        _proof.Lose();
        _proving = null;
        _writing = null;
        _ownership = new TopicOwnership(ClusterModel.Topic, id);
        _view = model.Store.States[0];
    }

    private void Register()
    {
        if (Session != 0)
        {
            return;
        }

        if (model.Store.Find(_memberKey) is { } old)
        {
            model.Store.Revoke(old.LeaseId);
        }

        _lease = model.Store.Grant(model.Clock.Seconds + ClusterModel.LeaseSeconds);
        Session = model.Store.Commit(new MetadataTransaction().IfAbsent(_memberKey).Put(_memberKey, new byte[1], _lease));
        ReadBack();
    }

    private void SendProof()
    {
        if (_proving is null && Session != 0)
        {
            _proving = new Proving(model.Clock.GetTimestamp(), false, null);
        }
    }

    private void MakeProof()
    {
        if (_proving is { IsMade: false } p)
        {
            _proving = p with { IsMade = true, Entry = model.Store.Find(_memberKey) };
        }
    }

    private void ReceiveProof()
    {
        if (_proving is not { IsMade: true } p)
        {
            return;
        }

        _proving = null;
        if (p.Entry?.CreatedRevision == Session)
        {
            _proof.Prove(Session, p.Sent);
        }
        else
        {
            _proof.Lose();
            Session = 0;
            _leaderToken = 0;
        }
    }

    // The view moves on to some later state; nobody skips back.
    private void See(int parameter)
    {
        int at = model.Store.States.IndexOf(_view);
        _view = model.Store.States[Math.Min(at + 1 + parameter, model.Store.States.Count - 1)];
        _ownership.Observe(_view.Find(ClusterModel.Key), _view.Revision);
        _leaderToken = _view.Find(ClusterKeys.Leader) is { } leader && leader.LeaseId == _lease ? leader.CreatedRevision : 0;
    }

    private void ReadBack() => _ownership.Observe(model.Store.Find(ClusterModel.Key), model.Store.Now.Revision);

    private void SendServe()
    {
        if (_writing is null && Session != 0 && _ownership.ToServe(Session, LogEpoch) is { } next)
        {
            _writing = new Writing(_ownership.Write(Session, next), next, false, 0);
        }
    }

    // On request, or of its own accord.
    private void SendRelease(bool shutsDown)
    {
        if (_writing is null && Session != 0 && (_ownership.IsAskedToRelease || (shutsDown && _ownership.Serves(Session))))
        {
            _ownership.Stop();
            if (_ownership.ToRelease(Session, endOffset: 5) is { } next)
            {
                _writing = new Writing(_ownership.Write(Session, next), next, false, 0);
            }
        }
    }

    private void MakeWrite()
    {
        if (_writing is { IsMade: false } w)
        {
            _writing = w with { IsMade = true, Revision = model.Commit(w.Transaction, w.Next) };
        }
    }

    // A lost answer: the broker gives up on it, made or not; when it is not made yet it may be made later still.
    private void ReceiveWrite(bool isLost)
    {
        if (_writing is not { } w || (!w.IsMade && !isLost))
        {
            return;
        }

        _writing = null;
        if (isLost && !w.IsMade)
        {
            model.OnItsWay.Add((w.Transaction, w.Next));
        }

        if (!isLost && w.Revision > 0)
        {
            _ownership.Observe(new MetadataEntry(ClusterModel.Key, w.Next.Encode(), w.Revision, 1, 1), w.Revision);
        }
        else if (!isLost)
        {
            ReadBack();
        }

        if (_ownership.Serves(Session))
        {
            LogEpoch = Math.Max(LogEpoch, Epoch);
        }
    }

    private void Campaign()
    {
        if (Session == 0 || _leaderToken != 0)
        {
            return;
        }

        _absence.Reset();
        _leaderToken = model.Store.Commit(new MetadataTransaction()
            .IfAbsent(ClusterKeys.Leader).IfCreated(_memberKey, Session).Put(ClusterKeys.Leader, new byte[1], _lease));
    }

    private void Assign(int parameter)
    {
        if (_leaderToken == 0)
        {
            return;
        }

        MetadataEntry? entry = _view.Find(ClusterModel.Key);
        Assignment? current = entry is null ? null : Assignment.Decode(entry);
        var present = _view.Entries.Values.Where(e => e.Key.StartsWith(ClusterKeys.Members, StringComparison.Ordinal))
            .ToDictionary(e => int.Parse(e.Key[ClusterKeys.Members.Length..]), e => e.CreatedRevision);
        _absence.Observe(current is null ? new HashSet<long>() : [current.Session], present.Values.ToHashSet());
        int target = 1 + (parameter % 2);
        if (!present.TryGetValue(target, out long targetSession))
        {
            return;
        }

        bool isGone = current is not null && model.IsGone(_absence, current.Session);
        if (AssignmentRules.Assign(current, isGone, model.Durability, model.TopicId, target, targetSession) is { } next)
        {
            model.Commit(AssignmentWrites.Assign(_leaderToken, ClusterModel.Topic, entry, _view.Find(ClusterKeys.Member(target))!.Revision, null, next), next);
        }
    }

    private void AskForRelease(int parameter)
    {
        if (_leaderToken == 0 || _view.Find(ClusterModel.Key) is not { } entry)
        {
            return;
        }

        Assignment current = Assignment.Decode(entry);
        if ((parameter % 2 == 0 ? AssignmentRules.RequestRelease(current) : AssignmentRules.CancelRelease(current)) is { } next)
        {
            model.Commit(AssignmentWrites.ByLeader(_leaderToken, ClusterModel.Topic, entry, next), next);
        }
    }

    private sealed record Proving(long Sent, bool IsMade, MetadataEntry? Entry);

    private sealed record Writing(MetadataTransaction Transaction, Assignment Next, bool IsMade, long Revision);
}
