namespace Danube.Fast.LoadManager.Tests;

/// <summary>
/// A root folder whose files are links to the real ones: it can leave out what shows a container, and put another process in the place of this one.
/// </summary>
internal sealed class SystemRoot : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("danube-lm-").FullName;
    private readonly string _dataFolder;

    private SystemRoot(string process, string dataFolder, bool isContainer)
    {
        _dataFolder = dataFolder;
        Directory.CreateDirectory(Path.Combine(_root, "proc/self"));
        Directory.CreateDirectory(Path.Combine(_root, "sys"));
        foreach (string file in (string[])["stat", "meminfo", "diskstats"])
        {
            Link("proc/" + file, "/proc/" + file);
        }

        Link("sys/class", "/sys/class");
        Link("sys/dev", "/sys/dev");
        foreach (string file in (string[])["stat", "status", "io", "net", "mountinfo", .. isContainer ? (string[])["cgroup"] : []])
        {
            Link("proc/self/" + file, $"/proc/{process}/{file}");
        }

        if (isContainer)
        {
            Link("sys/fs", "/sys/fs");
        }
    }

    /// <summary>The machine as if it had no containers and no control groups.</summary>
    public static SystemRoot OfMachine(string dataFolder = "/") => new("self", dataFolder, isContainer: false);

    /// <summary>The machine as a process sees it, with its control groups.</summary>
    public static SystemRoot OfProcess(int id, string dataFolder) => new(id.ToString(System.Globalization.CultureInfo.InvariantCulture), dataFolder, isContainer: true);

    public IResourceMonitor Monitor() => ResourceMonitors.Create(new MonitorEnvironment { Root = _root, Variable = _ => null, DataFolder = _dataFolder });

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Link(string path, string target) => File.CreateSymbolicLink(Path.Combine(_root, path), target);
}
