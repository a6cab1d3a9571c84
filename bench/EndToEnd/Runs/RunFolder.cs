using System.Diagnostics;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Runs;

/// <summary>
/// The folder of one run: the broker's data and whatever else the run writes. It goes when it is disposed, and also when the process ends early (Ctrl-C, SIGTERM,
/// an error): the broker that writes into it is killed first. Thread-safe.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(120);
    private static readonly Lock Gate = new();
    private static readonly HashSet<RunFolder> Live = [];

    private readonly Lock _removing = new();
    private readonly List<int> _processes = [];

    static RunFolder() => AppDomain.CurrentDomain.ProcessExit += (_, _) => RemoveAll();

    private RunFolder(string path) => Path = path;

    public string Path { get; }

    /// <summary>Where the broker keeps its data.</summary>
    public string Data => System.IO.Path.Combine(Path, "data");

    /// <param name="parent">Folder in which it is made; null = the system's temporary folder.</param>
    public static RunFolder Create(string? parent)
    {
        string path = System.IO.Path.Combine(parent ?? System.IO.Path.GetTempPath(), "danube-bench-" + Guid.NewGuid().ToString("N")[..8]);
        var folder = new RunFolder(Directory.CreateDirectory(path).FullName);
        lock (Gate)
        {
            Live.Add(folder);
        }

        return folder;
    }

    /// <summary>Starts a broker on the data of this folder.</summary>
    public Task<BrokerProcess> StartBrokerAsync(IReadOnlyDictionary<string, string> environment) => BrokerProcess.StartAsync(new BrokerOptions
    {
        DataDirectory = Data,
        Environment = environment,
        StartTimeout = StartTimeout,
        OnStarted = id =>
        {
            lock (Gate)
            {
                _processes.Add(id);
            }
        },
    });

    public void Dispose()
    {
        // The end of the process waits here for a removal that has begun.
        lock (_removing)
        {
            if (Directory.Exists(Path))
            {
                Directory.Delete(Path, true);
            }
        }

        lock (Gate)
        {
            Live.Remove(this);
        }
    }

    private static void RemoveAll()
    {
        RunFolder[] left;
        lock (Gate)
        {
            left = [.. Live];
        }

        foreach (RunFolder folder in left)
        {
            folder.KillProcesses();
            try
            {
                folder.Dispose();
            }
            catch (IOException error)
            {
                Console.Error.WriteLine($"{folder.Path} could not be removed: {error.Message}");
            }
        }
    }

    // A process that has ended may have left its number to another one: only a broker on this folder is killed.
    private void KillProcesses()
    {
        foreach (int id in _processes)
        {
            string commandLine = $"/proc/{id}/cmdline";
            if (OperatingSystem.IsLinux() && !(File.Exists(commandLine) && File.ReadAllText(commandLine).Contains(Data, StringComparison.Ordinal)))
            {
                continue;
            }

            try
            {
                using Process process = Process.GetProcessById(id);
                process.Kill();
                process.WaitForExit(10_000);
                BrokerProcess.RemoveTraces(id);
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                // It has ended.
            }
        }
    }
}
