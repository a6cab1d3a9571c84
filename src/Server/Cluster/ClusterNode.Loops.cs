using Danube.Fast.LoadManager;

namespace Danube.Fast.Server.Cluster;

// What runs while the broker is a member. A loop that fails begins again: the broker stays up.
internal sealed partial class ClusterNode
{
    private static readonly TimeSpan GoodbyeLimit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan BeginAgain = TimeSpan.FromSeconds(1);

    private readonly List<(string Name, Func<CancellationToken, Task> Loop)> _more = [];

    /// <summary>Adds a loop that runs while this broker is a member; before <see cref="StartAsync"/>.</summary>
    public void AddLoop(string name, Func<CancellationToken, Task> loop) => _more.Add((name, loop));

    private void StartLoops()
    {
        foreach ((string name, Func<CancellationToken, Task> loop) in _more)
        {
            Start(name, loop);
        }

        Start("election", token => Election.RunAsync(() => View.Snapshot.Find(ClusterKeys.Leader), MayLead, token));
        if (Owner is { } owner)
        {
            Start("owner loop", owner.RunAsync);
        }
    }

    // A broker that is to be emptied leads only when nobody else can.
    private bool MayLead() => ModeOfMe == BrokerMode.Active || !View.Members.Keys.Any(b => View.ModeOf(b) == BrokerMode.Active);

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
