using Danube.Fast.LoadManager;
using MeasuredBroker = Danube.Fast.LoadManager.BrokerState;

namespace Danube.Fast.Server.Load;

/// <summary>The picture of all brokers, from what the cluster says of them.</summary>
internal sealed partial class LoadService
{
    /// <summary>Brings members, modes and new reports to the board; reports that came together make one change of it.</summary>
    private void Feed()
    {
        IReadOnlyDictionary<long, BrokerMode> members = _source.Members;
        if (!_source.KeepsBoard)
        {
            FeedMembers(members);
        }

        FeedReports(members);
        if (_source.FeedAssignments(Cluster.Placement) is { } revision)
        {
            Cluster.AssignmentsChanged(revision);
        }
    }

    private void FeedMembers(IReadOnlyDictionary<long, BrokerMode> members)
    {
        foreach (MeasuredBroker known in Cluster.Board.View.Brokers)
        {
            if (known.IsMember && !members.ContainsKey(known.Id))
            {
                Cluster.Board.Leave(known.Id);
            }
        }

        foreach ((long id, BrokerMode mode) in members)
        {
            MeasuredBroker? known = Cluster.Board.View.Find(id);
            if (known is not { IsMember: true })
            {
                Cluster.Board.Join(id);
            }

            if (known?.Mode != mode)
            {
                Cluster.Board.SetMode(id, mode);
            }
        }
    }

    private void FeedReports(IReadOnlyDictionary<long, BrokerMode> members)
    {
        List<ReportUpdate>? updates = null;
        foreach (PostedReport posted in _source.Reports)
        {
            if (members.ContainsKey(posted.Broker) && _seen.GetValueOrDefault(posted.Broker) != posted.Revision)
            {
                _seen[posted.Broker] = posted.Revision;
                if (LoadReportReader.TryRead(posted.Json, out LoadReport? report, out string? fault))
                {
                    (updates ??= []).Add(new ReportUpdate(posted.Broker, report, posted.Revision));
                }
                else
                {
                    Log.ReportUnreadable(_log, posted.Broker, fault);
                }
            }
        }

        if (updates is not null)
        {
            Cluster.Board.Apply(updates);
        }
    }
}
