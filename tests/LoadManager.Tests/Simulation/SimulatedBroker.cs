namespace Danube.Fast.LoadManager.Tests;

/// <summary>
/// A broker of a simulation: topics with traffic make its processor, network and disk busy by its own size; it reports through the real builder,
/// writer and reader.
/// </summary>
internal sealed class SimulatedBroker : IDisposable
{
    // Percent of a core that a megabit per second takes; what an idle broker takes.
    private const double CpuPerMbps = 2.5, IdleCpu = 2;

    private readonly ScriptedMonitor _monitor = new();
    private readonly ResourceSampler _sampler;
    private readonly LoadReportBuilder _builder;
    private readonly Random _noise;
    private readonly LoadReportWriter _writer = new();
    private double _seconds;

    public SimulatedBroker(long id, int cores, ManualClock clock)
    {
        Id = id;
        Cores = cores;
        _noise = new Random((int)id);
        _monitor.Capacity = new ResourceCapacity
        {
            Cores = cores,
            DiskBytes = 1_000_000_000_000,
            FreeDiskBytes = 900_000_000_000,
            DiskIoBytesPerSecond = 5_000_000.0 * cores,
            NetworkBytesPerSecond = 10_000_000.0 * cores,
            ThroughputMbps = 40.0 * cores,
        };
        _sampler = new ResourceSampler(_monitor, TimeSpan.FromSeconds(2), clock);
        _builder = new LoadReportBuilder(_sampler, Samples, () => AppliedRevision, Options, clock);
    }

    public static LoadManagerOptions Options { get; } = new();

    public long Id { get; }

    public int Cores { get; }

    /// <summary>Megabits per second by topic.</summary>
    public Dictionary<string, double> Topics { get; } = [];

    public long AppliedRevision { get; set; }

    public double Mbps => Topics.Values.Sum();

    /// <summary>True processor use, percent.</summary>
    public double Cpu => Math.Min(100, IdleCpu + (Mbps * CpuPerMbps / Cores));

    public byte[] Report(double seconds)
    {
        _seconds += seconds;
        double bytes = Mbps * 125_000;
        // Readings have two percent of noise.
        double Noisy(double value) => value * (1 + (0.02 * ((2 * _noise.NextDouble()) - 1)));
        _monitor.Usage = new ResourceUsage
        {
            CpuPercent = Math.Min(100, Noisy(Cpu)),
            MemoryPercent = Noisy(20 + (Topics.Count * 0.01)),
            DiskIo = new DiskIoStats(0, Noisy(bytes)),
            NetworkIo = new NetworkIoStats(Noisy(bytes), Noisy(bytes)),
        };
        _sampler.Sample();
        return _writer.Write(_builder.Build(Id, Id));
    }

    public void Dispose() => _sampler.Dispose();

    private IEnumerable<TopicSample> Samples() => Topics.Select(t => new TopicSample
    {
        Name = t.Key,
        MessagesIn = (long)(t.Value * 125 * _seconds),
        BytesIn = (long)(t.Value * 125_000 * _seconds),
        MessagesOut = (long)(t.Value * 125 * _seconds),
        BytesOut = (long)(t.Value * 125_000 * _seconds),
        WalBytes = (long)(t.Value * 125_000 * Math.Min(_seconds, 600)),
    });
}
