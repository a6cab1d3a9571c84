namespace Danube.Fast.Wal;

/// <summary>
/// File handles that files and connections leave to the runtime. It needs one now and then, for a thread or for compiled code, and when it gets none it ends the process ("Out of
/// memory"). The system gives the lowest free number to every new handle, so the number itself tells how many are in use. Runs on: any thread.
/// </summary>
public static class HandleReserve
{
    private static readonly long FirstReserved = FirstReservedOf(Libc.HandleLimit());
    private static bool _isNear;

    /// <summary>The handles that were opened last were among the last eighth in front of the reserve: what can be closed should be.</summary>
    internal static bool IsNear => Volatile.Read(ref _isNear);

    /// <summary>True for a new handle that must be closed again: too many are open.</summary>
    public static bool Contains(nint handle)
    {
        bool isNear = handle >= FirstReserved - (FirstReserved / 8);
        if (isNear != Volatile.Read(ref _isNear))
        {
            Volatile.Write(ref _isNear, isNear);
        }

        return handle >= FirstReserved;
    }

    /// <summary>True when the next handle would be one that must be closed again. Cheaper than a file that is made and unlinked for nothing.</summary>
    internal static bool IsReached()
    {
        if (!OperatingSystem.IsLinux() || !IsNear)
        {
            return false;
        }

        int probe = Libc.OpenForReading("/");
        if (probe >= 0)
        {
            _ = Libc.Close(probe);
        }

        return probe < 0 || Contains(probe);
    }

    /// <summary>The first handle of the reserve: a sixteenth of the limit, 64 to 1,024. Without a limit there is none.</summary>
    internal static long FirstReservedOf(ulong limit) => limit > int.MaxValue ? long.MaxValue : (long)limit - (long)Math.Clamp(limit / 16, 64, 1024);
}
