namespace Danube.Fast.LoadManager;

/// <summary>
/// Makes a broker's reports of its resources and topics. Each report covers the time since the one before.
/// Runs on: whoever posts reports, one at a time. Shared with: nobody.
/// </summary>
public sealed class LoadReportBuilder
{
    private const double BytesPerGb = 1e9;
    private const double BitsPerMegabit = 1_000_000 / 8.0;

    private readonly ResourceSampler _sampler;
    private readonly ResourceWindow _window;
    private readonly TopicLoadCalculator _calculator;
    private readonly Func<IEnumerable<TopicSample>> _samples;
    private readonly Func<long> _assignmentsRevision;
    private readonly LoadManagerOptions _options;
    private readonly TimeProvider _clock;
    private long _revisionAtStart;

    /// <summary>A builder whose first window begins now.</summary>
    /// <param name="sampler">The machine.</param>
    /// <param name="samples">Reads all topics that are assigned to the broker.</param>
    /// <param name="assignmentsRevision">Revision of the assignments that the broker has applied by now.</param>
    /// <param name="options">Configured capacities.</param>
    /// <param name="clock">Time.</param>
    public LoadReportBuilder(
        ResourceSampler sampler, Func<IEnumerable<TopicSample>> samples, Func<long> assignmentsRevision, LoadManagerOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(sampler);
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentNullException.ThrowIfNull(assignmentsRevision);
        ArgumentNullException.ThrowIfNull(options);
        _sampler = sampler;
        _window = sampler.OpenWindow();
        _calculator = new TopicLoadCalculator(clock);
        _samples = samples;
        _assignmentsRevision = assignmentsRevision;
        _options = options;
        _clock = clock;
        _revisionAtStart = assignmentsRevision();
        _calculator.Next(samples());
    }

    /// <summary>What the machine can take, as last read.</summary>
    public ResourceCapacity Capacity => _sampler.Capacity;

    /// <summary>The utilisation in the window so far; the window goes on.</summary>
    public ResourceUsage Peek() => _window.Peek();

    /// <summary>Ends the window and reports it.</summary>
    /// <param name="brokerId">The broker.</param>
    /// <param name="session">Create revision of its member key, 0 without a cluster.</param>
    public LoadReport Build(long brokerId, long session)
    {
        // What was applied later may be missing in a part of the window.
        long revision = _revisionAtStart;
        _revisionAtStart = _assignmentsRevision();
        TopicLoads loads = _calculator.Next(_samples());
        ResourceUsage usage = _window.Close();
        double byteRate = 0, outRate = 0;
        long messageRate = 0, walBytes = 0, diskBytes = 0;
        foreach (TopicLoad topic in loads.Topics)
        {
            byteRate += topic.ByteRate;
            outRate += topic.OutByteRate;
            messageRate += topic.MessageRate;
            walBytes += topic.WalSizeBytes;
            diskBytes += topic.DiskSizeBytes;
        }

        return new LoadReport
        {
            BrokerId = brokerId,
            Session = session,
            Timestamp = _clock.GetUtcNow().ToUnixTimeSeconds(),
            WindowMs = (long)loads.Window.TotalMilliseconds,
            AssignmentsRevision = revision,
            ResourcesUsage = ResourceNames.All.Where(r => usage.Of(r) is not null).ToDictionary(r => r, r => usage.Of(r)!.Value),
            Unsupported = _sampler.Unsupported,
            Capacity = _sampler.Capacity.With(_options.Capacity, _options.MaxTopics),
            TotalThroughputMbps = byteRate / BitsPerMegabit,
            TotalDiskUsageGb = diskBytes / BytesPerGb,
            TotalMessageRate = messageRate,
            TotalOutMbps = outRate / BitsPerMegabit,
            TotalWalBytes = walBytes,
            PublishP99Ms = loads.PublishP99Ms,
            TopicsLen = loads.Topics.Count,
            Topics = loads.Topics,
        };
    }
}
