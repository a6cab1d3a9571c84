namespace Danube.Fast.Client;

/// <summary>Unix time in microseconds, the clock unit of the protocol.</summary>
internal static class UnixMicros
{
    public static long FromDate(DateTimeOffset date) => (date.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset ToDate(long micros) => new(DateTimeOffset.UnixEpoch.Ticks + (micros * TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    public static long Now(TimeProvider time) => FromDate(time.GetUtcNow());
}
