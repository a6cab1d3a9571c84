using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Danube.Fast.Bench.Runs;

namespace Danube.Fast.Bench.Profiling;

/// <summary>
/// A processor profile of one process of a load, by <c>perf</c>: the runtime writes the names of compiled methods to a perf map, perf samples the stacks while the first
/// round runs, <see cref="ProfileSummary"/> adds them up.
/// </summary>
/// <param name="target"><c>broker</c>, <c>producer</c> or <c>consumer</c>: the first process of the kind.</param>
/// <param name="stacks">Also write folded stacks to this file; null = no.</param>
internal sealed class Profiler(string target, FileInfo? stacks) : IDisposable
{
    // Not a divisor of anything that ticks.
    private const int SamplesPerSecond = 997;
    private const int Rows = 25;

    // Methods and nothing else: enough for perf. Pages that are mapped twice would hide from it which code is the runtime's own.
    private static readonly Dictionary<string, string> PerfMap = new() { ["DOTNET_PerfMapEnabled"] = "3", ["DOTNET_EnableWriteXorExecute"] = "0" };

    private readonly string _recorded = Path.Combine(Path.GetTempPath(), $"danube-bench-{Guid.NewGuid():N}.perf");
    private int _pid;

    /// <summary>Why this machine cannot profile, with what to do; null when it can.</summary>
    public string? Fault()
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux))
        {
            return "--profile uses Linux' perf; elsewhere use the profiler of the system on the process that the run starts.";
        }

        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return folders.Any(f => File.Exists(Path.Combine(f, "perf"))) ? null : "--profile needs perf: apt-get install linux-perf.";
    }

    /// <summary>The setup with what the profiled process needs in its environment.</summary>
    public LoadSetup Prepare(LoadSetup setup) => target == "broker"
        ? setup with { BrokerEnvironment = LoadSetup.Join(setup.BrokerEnvironment, PerfMap) }
        : setup with { Environment = LoadSetup.Join(setup.Environment, PerfMap) };

    /// <summary>Samples for so long as a round takes. Nothing is read from the samples yet: that would take processor time from the rounds.</summary>
    public async Task RecordAsync(LoadSession session, double seconds, CancellationToken cancellation)
    {
        _pid = target switch
        {
            "broker" => session.Broker.Pid,
            "producer" => session.Producer.Processes[0].ProcessId,
            _ => session.Consumer?.Processes[0].ProcessId ?? throw new InvalidOperationException("There is no consumer process to profile."),
        };
        string length = seconds.ToString(CultureInfo.InvariantCulture);

        // The processor clock works on virtual machines too, where the counters of the processor are often missing.
        await RunAsync(
            ["record", "-q", "-e", "cpu-clock", "-F", SamplesPerSecond.ToString(CultureInfo.InvariantCulture), "--call-graph", "fp", "-p", _pid.ToString(CultureInfo.InvariantCulture), "-o", _recorded, "--", "sleep", length],
            _ => { }, cancellation);
    }

    /// <summary>The tables; also writes the stacks to their file.</summary>
    public async Task<string> ReportAsync(CancellationToken cancellation)
    {
        var summary = new ProfileSummary(target);
        var script = new PerfScript(summary.Add);
        await RunAsync(["script", "-i", _recorded, "-F", "comm,tid,ip,sym,dso"], script.Read, cancellation);
        script.End();
        if (stacks is not null)
        {
            await File.WriteAllLinesAsync(stacks.FullName, summary.Folded(), cancellation);
        }

        return summary.ToText(Rows);
    }

    /// <summary>Removes what perf and the runtime wrote.</summary>
    public void Dispose()
    {
        File.Delete(_recorded);
        if (_pid > 0)
        {
            File.Delete($"/tmp/perf-{_pid.ToString(CultureInfo.InvariantCulture)}.map");
        }
    }

    private static async Task RunAsync(string[] arguments, Action<string> onLine, CancellationToken cancellation)
    {
        using Process perf = Process.Start(new ProcessStartInfo("perf", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = perf.StandardError.ReadToEndAsync(cancellation);
        try
        {
            while (await perf.StandardOutput.ReadLineAsync(cancellation) is { } line)
            {
                onLine(line);
            }

            await perf.WaitForExitAsync(cancellation);
        }
        finally
        {
            if (!perf.HasExited)
            {
                perf.Kill(true);
                perf.WaitForExit();
            }
        }

        if (perf.ExitCode != 0)
        {
            throw new InvalidOperationException($"perf {arguments[0]} failed with code {perf.ExitCode}: {await errors} (as another user than root: sysctl kernel.perf_event_paranoid=1)");
        }
    }
}
