namespace Danube.Fast.LoadTests.Watch;

/// <summary>The broker process at one moment.</summary>
/// <param name="Seconds">Since the end of the warm-up.</param>
/// <param name="ResidentBytes">Resident set, mapped log files included.</param>
/// <param name="PrivateBytes">Resident anonymous memory: heaps. Null when only /metrics can be read.</param>
/// <param name="CpuSeconds">Processor time since its start.</param>
/// <param name="AllocatedBytes">Allocated on the managed heap since its start; null in samples without /metrics.</param>
/// <param name="Gen2Collections">Full collections since its start; null in samples without /metrics.</param>
public sealed record BrokerSample(double Seconds, long ResidentBytes, long? PrivateBytes, double CpuSeconds, long? AllocatedBytes, long? Gen2Collections)
{
    /// <summary>The memory to judge: heaps where the system tells them apart, else the resident set.</summary>
    public long MemoryBytes => PrivateBytes ?? ResidentBytes;
}
