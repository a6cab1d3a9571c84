namespace Danube.Fast.LoadManager;

/// <summary>
/// A broker's reports as bytes, each when it is due. Ask about once a second.
/// Runs on: one caller at a time. Shared with: nobody.
/// </summary>
public sealed class ReportSchedule(LoadReportBuilder builder, PostingPolicy policy, LoadManagerOptions options)
{
    private readonly LoadReportWriter _writer = new();

    /// <summary>The report that is due now, or null. It counts as posted from here on, whatever becomes of it.</summary>
    /// <param name="brokerId">The broker.</param>
    /// <param name="session">Create revision of its member key, 0 without a cluster.</param>
    /// <param name="throughputMbps">Accepted from producers now, for the look at changes.</param>
    /// <param name="isWanted">It is due whatever was posted before.</param>
    public byte[]? Next(long brokerId, long session, double throughputMbps, bool isWanted = false)
    {
        ResourceCapacity capacity = builder.Capacity.With(options.Capacity, options.MaxTopics);
        ResourceUsage usage = builder.Peek();
        if (!isWanted && !policy.IsDue(usage, throughputMbps, capacity))
        {
            return null;
        }

        byte[] report = _writer.Write(builder.Build(brokerId, session));
        policy.Posted(usage, throughputMbps, capacity);
        return report;
    }
}
