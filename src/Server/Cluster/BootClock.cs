using System.Runtime.InteropServices;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// A clock that nobody sets and that goes on while the machine is suspended: a broker that slept through its lease must not believe
/// that no time has passed. (<see cref="System.Diagnostics.Stopwatch"/> stands still during suspend on Linux.)
/// Runs on: any thread.
/// </summary>
internal sealed unsafe partial class BootClock : TimeProvider
{
    private const int ClockBoottimeOfLinux = 7;
    private const int ClockMonotonicOfMacOs = 6; // There it counts sleep.
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <inheritdoc/>
    public override long TimestampFrequency => NanosecondsPerSecond;

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        if (OperatingSystem.IsWindows())
        {
            return Environment.TickCount64 * (NanosecondsPerSecond / 1000); // Counts sleep, in steps of about 16 ms.
        }

        nint* time = stackalloc nint[2]; // Seconds and nanoseconds.
        return ClockGetTime(OperatingSystem.IsMacOS() ? ClockMonotonicOfMacOs : ClockBoottimeOfLinux, time) == 0
            ? (time[0] * NanosecondsPerSecond) + time[1]
            : throw new InvalidOperationException("The system has no clock that counts suspend.");
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, nint* time);
}
