namespace Danube.Fast.Wal;

/// <summary>
/// File handles that files and connections leave to the runtime. It needs one now and then, for a thread or for compiled code, and when it gets none it ends the process ("Out of
/// memory"). Runs on: any thread.
/// </summary>
public static class HandleReserve
{
    /// <summary>Of this process.</summary>
    internal static HandleGauge Gauge { get; } = new(FirstReservedOf(Libc.HandleLimit()));

    /// <summary>True for a new handle that must be closed again: too many are open.</summary>
    public static bool Contains(nint handle) => Gauge.IsReserved(handle);

    /// <summary>The first handle of the reserve: a sixteenth of the limit, 64 to 1,024. Without a limit there is none.</summary>
    internal static long FirstReservedOf(ulong limit) => limit > int.MaxValue ? long.MaxValue : (long)limit - (long)Math.Clamp(limit / 16, 64, 1024);
}
