namespace Danube.Fast.LoadManager;

/// <summary>A report with where it came from.</summary>
/// <param name="BrokerId">Whose.</param>
/// <param name="Report">The report.</param>
/// <param name="Revision">Revision of its key: an older one than the last seen is dropped.</param>
public sealed record ReportUpdate(long BrokerId, LoadReport Report, long Revision);

/// <summary>
/// The leader's picture of all brokers: who is registered, in which mode, with which last report. A batch of reports makes one new generation.
/// Runs on: whoever feeds it. Shared with: any reader, through <see cref="View"/>, which never changes.
/// </summary>
public sealed class BrokerBoard(TimeProvider clock)
{
    private readonly Lock _gate = new();
    private BoardView _view = new(0, []);

    /// <summary>The newest picture.</summary>
    public BoardView View => Volatile.Read(ref _view);

    /// <summary>The clock that decides what is fresh.</summary>
    public TimeProvider Clock => clock;

    /// <summary>A broker has registered.</summary>
    public void Join(long brokerId) => Change(brokers => brokers[brokerId] = Of(brokers, brokerId).WithStanding(true, Of(brokers, brokerId).Mode));

    /// <summary>A broker's registration is gone. Its last report only says what its topics need; it is not fresh when the broker comes back.</summary>
    public void Leave(long brokerId) => Change(brokers => brokers[brokerId] = Of(brokers, brokerId).WithStanding(false, Of(brokers, brokerId).Mode));

    /// <summary>An operator has set a broker's mode.</summary>
    public void SetMode(long brokerId, BrokerMode mode) => Change(brokers => brokers[brokerId] = Of(brokers, brokerId).WithStanding(Of(brokers, brokerId).IsMember, mode));

    /// <summary>Takes a batch of reports: one new generation, so one new ranking, however many there are.</summary>
    /// <returns>How many were new.</returns>
    public int Apply(IReadOnlyCollection<ReportUpdate> updates)
    {
        ArgumentNullException.ThrowIfNull(updates);
        int taken = 0;
        long now = clock.GetTimestamp();
        Change(brokers =>
        {
            foreach (ReportUpdate update in updates)
            {
                BrokerState broker = Of(brokers, update.BrokerId);
                // Reading a key again shows the same revision: that is no sign of life.
                if (broker.Report is null || update.Revision > broker.ReportRevision)
                {
                    brokers[update.BrokerId] = broker.WithReport(update.Report, update.Revision, now);
                    taken++;
                }
            }

            return taken > 0;
        });
        return taken;
    }

    private static BrokerState Of(Dictionary<long, BrokerState> brokers, long id) => brokers.TryGetValue(id, out BrokerState? broker) ? broker : new BrokerState(id);

    private void Change(Action<Dictionary<long, BrokerState>> change) => Change(brokers =>
    {
        change(brokers);
        return true;
    });

    private void Change(Func<Dictionary<long, BrokerState>, bool> change)
    {
        lock (_gate)
        {
            var brokers = new Dictionary<long, BrokerState>(_view.Brokers.Length + 1);
            foreach (BrokerState broker in _view.Brokers)
            {
                brokers[broker.Id] = broker;
            }

            if (change(brokers))
            {
                BrokerState[] sorted = [.. brokers.Values];
                Array.Sort(sorted, (a, b) => a.Id.CompareTo(b.Id));
                Volatile.Write(ref _view, new BoardView(_view.Generation + 1, sorted));
            }
        }
    }
}

/// <summary>All brokers at one moment.</summary>
public sealed class BoardView
{
    private readonly BrokerState[] _brokers;

    internal BoardView(long generation, BrokerState[] brokers)
    {
        Generation = generation;
        _brokers = brokers;
    }

    /// <summary>Grows with every change.</summary>
    public long Generation { get; }

    /// <summary>By id.</summary>
    public ReadOnlySpan<BrokerState> Brokers => _brokers;

    /// <summary>A broker, or null.</summary>
    public BrokerState? Find(long id)
    {
        int low = 0, high = _brokers.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            int order = _brokers[middle].Id.CompareTo(id);
            if (order == 0)
            {
                return _brokers[middle];
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return null;
    }
}
