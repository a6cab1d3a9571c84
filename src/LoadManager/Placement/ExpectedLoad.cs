namespace Danube.Fast.LoadManager;

/// <summary>
/// What a topic is expected to add to a broker, in figures that do not depend on the broker: processor use is in hundredths of a core.
/// </summary>
public readonly record struct ExpectedLoad(double CpuCorePercent, double DiskIo, double NetworkIo, double ThroughputMbps, double WalBytes)
{
    public static ExpectedLoad operator +(ExpectedLoad a, ExpectedLoad b) => new(
        a.CpuCorePercent + b.CpuCorePercent, a.DiskIo + b.DiskIo, a.NetworkIo + b.NetworkIo, a.ThroughputMbps + b.ThroughputMbps, a.WalBytes + b.WalBytes);

    /// <summary>A share of a broker's load; memory does not move with a topic.</summary>
    internal static ExpectedLoad ShareOf(BrokerState broker, double share, double walBytes) => new(
        share * Known(broker.Factor(LoadFactor.Cpu)) * (broker.Capacity.Cores ?? 1),
        share * Known(broker.Factor(LoadFactor.DiskIo)),
        share * Known(broker.Factor(LoadFactor.NetworkIo)),
        share * Known(broker.Factor(LoadFactor.Throughput)),
        walBytes);

    /// <summary>Adds it to a row of factors of a broker.</summary>
    internal void AddTo(ref LoadMatrix matrix, int index, BrokerState broker)
    {
        matrix.Row(LoadFactor.Cpu)[index] += CpuCorePercent / (broker.Capacity.Cores ?? 1);
        matrix.Row(LoadFactor.DiskIo)[index] += DiskIo;
        matrix.Row(LoadFactor.NetworkIo)[index] += NetworkIo;
        matrix.Row(LoadFactor.Throughput)[index] += ThroughputMbps;
        matrix.Row(LoadFactor.DiskUsage)[index] += WalBytes;
    }

    private static double Known(double value) => double.IsNaN(value) ? 0 : value;
}
