namespace Danube.Fast.Wal;

/// <summary>
/// File handles that files and connections leave to the runtime. It needs one now and then, for a thread or for compiled code, and when it gets none it ends the process ("Out of
/// memory"). The system gives the lowest free number to every new handle, so the number itself tells how many are in use. Runs on: any thread.
/// </summary>
public static class HandleReserve
{
    private static readonly long FirstReserved = FirstReservedOf(Libc.HandleLimit());

    /// <summary>True for a new handle that must be closed again: too many are open.</summary>
    public static bool Contains(nint handle) => handle >= FirstReserved;

    /// <summary>The first handle of the reserve: a sixteenth of the limit, 64 to 1,024. Without a limit there is none.</summary>
    internal static long FirstReservedOf(ulong limit) => limit > int.MaxValue ? long.MaxValue : (long)limit - (long)Math.Clamp(limit / 16, 64, 1024);
}
