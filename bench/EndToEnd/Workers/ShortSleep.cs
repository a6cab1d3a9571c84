using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Danube.Fast.Bench.Workers;

/// <summary>Sleeps shorter than a timer tick, so that an open-loop sender neither burns a core nor arrives a millisecond late.</summary>
internal static partial class ShortSleep
{
    // The kernel's timer slack: sleeping for less costs as much.
    private const long ShortestNanoseconds = 50_000;

    /// <summary>Returns at <paramref name="ticks"/> of the stopwatch or a little later.</summary>
    public static void Until(long ticks)
    {
        while (true)
        {
            long left = (long)((ticks - Stopwatch.GetTimestamp()) * (1e9 / Stopwatch.Frequency));
            if (left <= 0)
            {
                return;
            }

            For(left);
        }
    }

    /// <summary>Sleeps for so many nanoseconds or a little longer.</summary>
    public static void For(long nanoseconds)
    {
        if (OperatingSystem.IsLinux())
        {
            var time = new TimeSpec { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = Math.Max(nanoseconds % 1_000_000_000, ShortestNanoseconds) };
            _ = NanoSleep(in time, 0);
        }
        else
        {
            Thread.Sleep(TimeSpan.FromMicroseconds(nanoseconds / 1000));
        }
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec time, nint remaining);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
