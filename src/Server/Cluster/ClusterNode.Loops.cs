using System.Globalization;
using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

// What runs while the broker is a member. A loop that fails begins again: the broker stays up.
internal sealed partial class ClusterNode
{
    private static readonly TimeSpan GoodbyeLimit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan BeginAgain = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _leaderChanged = new(0);
    private readonly List<(string Name, Func<CancellationToken, Task> Loop)> _more = [];

    /// <summary>Adds a loop that runs while this broker is a member; before <see cref="StartAsync"/>.</summary>
    public void AddLoop(string name, Func<CancellationToken, Task> loop) => _more.Add((name, loop));

    private void StartLoops()
    {
        Start("leader loop", _leader.RunAsync);
        foreach ((string name, Func<CancellationToken, Task> loop) in _more)
        {
            Start(name, loop);
        }

        Start("election", token => Election.RunAsync(() => View.Snapshot.Find(ClusterKeys.Leader), () => MayLead, NextCampaignAsync, token));
        if (Owner is { } owner)
        {
            Start("owner loop", owner.RunAsync);
        }
    }

    // The key of a leader that went is looked at at once.
    private async Task NextCampaignAsync(CancellationToken cancellationToken)
    {
        await _leaderChanged.WaitAsync(LeaderElection.CampaignInterval, cancellationToken);
    }

    private void OnRevised(MetadataRevision revision)
    {
        foreach (MetadataChange change in revision.Changes)
        {
            if (change.Key == ClusterKeys.Leader && _leaderChanged.CurrentCount == 0)
            {
                _leaderChanged.Release();
            }
            else if (BrokerOf(change.Key, ClusterKeys.Members) is { } member)
            {
                FollowMember(member);
            }
            else if (BrokerOf(change.Key, ClusterKeys.Modes) is { } broker)
            {
                Load.Board.SetMode(broker, ModeOnBoard(broker));
            }
        }
    }

    // The board decides where topics go.
    private BrokerMode ModeOnBoard(int broker) => View.ModeOf(broker) is var mode && mode == BrokerMode.Active && !View.TakesTopics(broker) ? BrokerMode.Draining : mode;

    // Null for another key, also for one below the prefix that names no broker.
    private static int? BrokerOf(string key, string prefix) =>
        key.StartsWith(prefix, StringComparison.Ordinal) && int.TryParse(key.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int broker) ? broker : null;

    private void FollowMember(int broker)
    {
        if (View.Members.ContainsKey(broker))
        {
            Load.Board.Join(broker);
            Load.Board.SetMode(broker, ModeOnBoard(broker));
        }
        else
        {
            Load.Board.Leave(broker);
        }
    }

    /// <summary>True when this broker is meant to lead: one that is to be emptied, or shuts down, leads only when nobody else can.</summary>
    public bool MayLead => (ModeOfMe == BrokerMode.Active && !Record.IsStopping) || !View.Members.Keys.Any(View.TakesTopics);

    private void Start(string name, Func<CancellationToken, Task> loop) => _loops.Add(Task.Run(() => KeepRunningAsync(name, loop)));

    private async Task KeepRunningAsync(string name, Func<CancellationToken, Task> loop)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await loop(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Log.ClusterLoopFailed(_log, e, name);
                await Task.Delay(BeginAgain, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
