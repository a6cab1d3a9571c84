namespace Danube.Fast.Wal;

/// <summary>
/// Tells how many handles are open: the system gives the lowest free number to every new one, so the number itself says it. Runs on: any thread.
/// </summary>
/// <param name="firstReserved">From this number on a handle must be closed again.</param>
internal sealed class HandleGauge(long firstReserved)
{
    private bool _isNear;

    /// <summary>The handle that was opened last was among the last eighth in front of the reserve: what can be closed should be.</summary>
    public bool IsNear => Volatile.Read(ref _isNear);

    /// <summary>True for a new handle that must be closed again: too many are open.</summary>
    public bool IsReserved(nint handle)
    {
        bool isNear = handle >= firstReserved - (firstReserved / 8);
        if (isNear != Volatile.Read(ref _isNear))
        {
            Volatile.Write(ref _isNear, isNear);
        }

        return handle >= firstReserved;
    }

    /// <summary>True when the next handle would be one that must be closed again. Cheaper than a file that is made and unlinked for nothing.</summary>
    public bool IsReached()
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

        return probe < 0 || IsReserved(probe);
    }
}
