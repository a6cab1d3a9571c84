using System.Diagnostics;
using System.Globalization;

namespace Danube.Fast.LoadManager.Tests;

/// <summary>Loads and independent readings of this machine.</summary>
internal static class RealMachine
{
    /// <summary>Keeps cores busy until disposed.</summary>
    public static IDisposable Burn(int threads)
    {
        var stop = new CancellationTokenSource();
        Thread[] burners = [.. Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            double x = 1;
            while (!stop.IsCancellationRequested)
            {
                for (int i = 0; i < 10_000; i++)
                {
                    x = Math.Sqrt(x + i);
                }
            }

            GC.KeepAlive(x);
        }) { IsBackground = true })];
        Array.ForEach(burners, b => b.Start());
        return new AtEnd(() =>
        {
            stop.Cancel();
            Array.ForEach(burners, b => b.Join());
            stop.Dispose();
        });
    }

    /// <summary>Idle seconds of all cores since the start, by <c>/proc/uptime</c>.</summary>
    public static (double Up, double Idle) Uptime()
    {
        string[] fields = File.ReadAllText("/proc/uptime").Split(' ');
        return (double.Parse(fields[0], CultureInfo.InvariantCulture), double.Parse(fields[1], CultureInfo.InvariantCulture));
    }

    public static bool IsRoot => Environment.UserName == "root";

    /// <summary>Runs a command; its exit code, or -1 when there is no such command.</summary>
    public static int Run(string command, params string[] arguments)
    {
        try
        {
            using Process process = Start(command, arguments);
            process.StandardOutput.ReadToEnd();
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }

    public static Process Start(string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        Array.ForEach(arguments, start.ArgumentList.Add);
        return Process.Start(start)!;
    }

    private sealed class AtEnd(Action action) : IDisposable
    {
        public void Dispose() => action();
    }
}
