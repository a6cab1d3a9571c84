namespace Danube.Fast.LoadManager;

/// <summary>What the leader knows of a broker. Never changes; the board replaces it.</summary>
public sealed class BrokerState
{
    private readonly double[] _factors;
    private readonly byte[] _missingInARow;

    internal BrokerState(long id)
    {
        Id = id;
        _factors = Enumerable.Repeat(double.NaN, LoadFactors.Count).ToArray();
        _missingInARow = new byte[ResourceNames.Count];
    }

    private BrokerState(BrokerState earlier, LoadReport report, long revision, long receivedAt)
    {
        Id = earlier.Id;
        IsMember = earlier.IsMember;
        Mode = earlier.Mode;
        Report = report;
        ReportRevision = revision;
        ReceivedAt = receivedAt;
        _factors =
        [
            report.GetResourceUsage(ResourceType.Cpu) ?? double.NaN, report.GetResourceUsage(ResourceType.Memory) ?? double.NaN,
            report.GetResourceUsage(ResourceType.DiskIo) ?? double.NaN, report.GetResourceUsage(ResourceType.NetworkIo) ?? double.NaN,
            report.TotalThroughputMbps, report.TopicsLen, report.TotalWalBytes,
        ];
        _missingInARow = new byte[ResourceNames.Count];
        foreach (ResourceType resource in ResourceNames.All)
        {
            bool isMissing = report.GetResourceUsage(resource) is null && !report.Unsupported.Contains(resource);
            _missingInARow[(int)resource] = isMissing ? (byte)Math.Min(255, earlier._missingInARow[(int)resource] + 1) : (byte)0;
        }
    }

    private BrokerState(BrokerState earlier, bool isMember, BrokerMode mode)
    {
        Id = earlier.Id;
        IsMember = isMember;
        Mode = mode;
        Report = earlier.Report;
        IsReportGone = earlier.IsReportGone || (earlier.IsMember && !isMember);
        ReportRevision = isMember ? earlier.ReportRevision : 0; // Whatever comes when it is back is new.
        ReceivedAt = earlier.ReceivedAt;
        _factors = earlier._factors;
        _missingInARow = earlier._missingInARow;
    }

    public long Id { get; }

    /// <summary>It is registered.</summary>
    public bool IsMember { get; }

    public BrokerMode Mode { get; }

    /// <summary>Its last report, or null. That of a broker that has left tells what its topics will need elsewhere.</summary>
    public LoadReport? Report { get; }

    /// <summary>The broker has left since its last report.</summary>
    public bool IsReportGone { get; }

    /// <summary>Revision of the report's key.</summary>
    public long ReportRevision { get; }

    /// <summary>When that revision was seen, by the leader's own clock.</summary>
    public long ReceivedAt { get; }

    /// <summary>Registered and meant to take topics.</summary>
    public bool IsActive => IsMember && Mode == BrokerMode.Active;

    public ResourceCapacity Capacity => Report?.Capacity ?? ResourceCapacity.Unknown;

    /// <summary>Resources that were missing in the last three reports or more.</summary>
    public IEnumerable<ResourceType> Unreadable => ResourceNames.All.Where(r => _missingInARow[(int)r] >= RankingRules.MissingReportsUntilNothing);

    /// <summary>True when <see cref="Unreadable"/> has any.</summary>
    public bool HasUnreadable => Array.Exists(_missingInARow, m => m >= RankingRules.MissingReportsUntilNothing);

    /// <summary>The figure of a factor; NaN when the report has none.</summary>
    internal double Factor(LoadFactor factor) => _factors[(int)factor];

    internal BrokerState WithReport(LoadReport report, long revision, long receivedAt) => new(this, report, revision, receivedAt);

    internal BrokerState WithStanding(bool isMember, BrokerMode mode) => new(this, isMember, mode);
}
