using Danube.Fast.Bench.Reports;

namespace Danube.Fast.Bench.Peers;

/// <summary>All rounds of one contender in one scenario.</summary>
internal sealed class PeerRow(Contender contender)
{
    // From here on a thread, or the machine, counts as busy all the time.
    private const double BusyThread = 0.88, BusyMachine = 0.93;

    // More than the kernel's own threads take here.
    private const double Disturbance = 0.4;

    private readonly List<PeerSample?> _rounds = [];

    public Contender Contender => contender;

    /// <summary>Why a round failed; null when none did.</summary>
    public string? Failure { get; private set; }

    public IEnumerable<PeerSample> Samples => _rounds.OfType<PeerSample>();

    public bool HasFigures => Samples.Any();

    public double Rate => Figures.Median(Samples.Select(s => s.Rate));

    public long Counted => Samples.Sum(s => s.Counted);

    public bool IsSustained => Samples.All(s => s.IsSustained);

    public void Add(PeerSample sample) => _rounds.Add(sample);

    public void Fail(string reason)
    {
        _rounds.Add(null);
        Failure ??= reason;
    }

    /// <summary>Median over the rounds of a percentile, ns.</summary>
    public double Percentile(double percent) => Figures.Median(Samples.Select(s => (double)s.Latency.Percentile(percent)));

    public double Median(Func<PeerSample, double> figure) => Figures.Median(Samples.Select(figure));

    /// <summary>What <paramref name="figure"/> of this row is in relation to the other's, round by round; rounds that failed are left out.</summary>
    public double[] RatiosTo(PeerRow other, Func<PeerSample, double> figure) =>
        [.. _rounds.Zip(other._rounds).Where(p => p is { First: not null, Second: not null }).Select(p => figure(p.First!) / figure(p.Second!))];

    /// <summary>What held the row back, by the processor times of its rounds.</summary>
    public string Limit()
    {
        double server = Median(s => s.ServerCores), client = Median(s => s.ClientCores);
        double serverThread = Median(s => s.ServerThread), clientThread = Median(s => s.ClientThread);
        bool isFull = server + client >= BusyMachine * Environment.ProcessorCount;
        return clientThread >= BusyThread && serverThread < BusyThread ? "CLIENT: its busiest thread"
            : isFull ? "all cores are busy"
            : serverThread >= BusyThread ? "one thread of the server"
            : Median(s => s.OtherCores) >= Disturbance ? "DISTURBED: other load on the machine"
            : "the server waits";
    }
}

/// <summary>The latency figure that the ratios of a scenario are made of.</summary>
internal static class PeerFigure
{
    public static double Of(PeerScenario scenario, PeerSample sample) => scenario.IsLatency ? sample.Latency.Percentile(99) : sample.Rate;
}
