using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Danube.Fast.Bench.Peers.Servers;

/// <summary>
/// A server of somebody else in a process group of its own. A shell stands between: when its standard input ends, it kills the whole group and removes the folder, so
/// nothing outlives the bench, however that ends. What the server prints goes to a file.
/// </summary>
internal sealed partial class PeerProcess : IDisposable
{
    // Deaf to Ctrl-C, which the terminal sends to everybody: the end of the input is the one signal that counts.
    private const string Guard = """
        trap '' INT TERM HUP
        folder=$1 log=$1/$2.out
        shift 2
        exec 3<&0
        setsid "$@" </dev/null >>"$log" 2>&1 3<&- &
        echo $!
        read -r _ <&3
        kill -s KILL -- -$! 2>/dev/null || kill -s KILL $! 2>/dev/null
        wait $! 2>/dev/null
        rm -rf -- "$folder"
        """;

    private const int SigStop = 19, SigCont = 18;
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(30);

    private readonly Process _shell;
    private readonly string _log;

    private PeerProcess(Process shell, int group, string log)
    {
        _shell = shell;
        Id = group;
        _log = log;
    }

    /// <summary>Process id of the server, which is also its group.</summary>
    public int Id { get; }

    /// <summary>True when it has ended, also while the shell has not taken notice.</summary>
    public bool HasExited => !File.Exists($"/proc/{Id}/stat") || File.ReadAllText($"/proc/{Id}/stat").Contains(") Z ", StringComparison.Ordinal);

    /// <summary>The last lines that the server printed.</summary>
    public string Output => File.Exists(_log) ? string.Join('\n', File.ReadLines(_log).TakeLast(30)) : "";

    /// <param name="folder">The run's folder.</param>
    /// <param name="name">What the server prints goes to a file of this name in the folder.</param>
    /// <param name="command">Program and arguments.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    public static PeerProcess Start(string folder, string name, IEnumerable<string> command, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Guard, "danube-bench-peer", folder, name, .. command]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach ((string variable, string value) in environment)
        {
            start.Environment[variable] = value;
        }

        Process shell = Process.Start(start)!;
        string line = shell.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The shell around a server ended at once.");
        return new PeerProcess(shell, int.Parse(line, CultureInfo.InvariantCulture), Path.Combine(folder, name + ".out"));
    }

    /// <summary>Stops the group from running until <see cref="Thaw"/>: it takes no processor time from the others.</summary>
    public void Freeze() => _ = Kill(-Id, SigStop);

    public void Thaw() => _ = Kill(-Id, SigCont);

    public void Dispose()
    {
        _shell.StandardInput.Close();
        if (!_shell.WaitForExit(EndPatience))
        {
            Console.Error.WriteLine($"The shell around process {Id} does not end.");
        }

        _shell.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
