namespace Danube.Fast.LoadManager.Tests;

/// <summary>
/// A tree of system files in a temporary folder, laid out from <c>Fixtures/NAME.tree</c>: <c>==> path</c> and the text, <c>==> path -> target</c> for
/// a link, <c># + other.tree</c> to include another.
/// </summary>
internal sealed class SystemTree : IDisposable
{
    private SystemTree(string root) => Root = root;

    public string Root { get; }

    public ManualClock Clock { get; } = new();

    public ResourceMonitorFigures Figures { get; } = new();

    public Dictionary<string, string> Variables { get; } = [];

    public static SystemTree Of(string name)
    {
        var tree = new SystemTree(Directory.CreateTempSubdirectory("danube-lm-").FullName);
        tree.Lay(Path.Combine(AppContext.BaseDirectory, "Fixtures", name + ".tree"));
        return tree;
    }

    public IResourceMonitor Monitor(ResourceScope scope = ResourceScope.Host, Func<NetworkTotals>? ownNetwork = null) => ResourceMonitors.Create(new MonitorEnvironment
    {
        Root = Root,
        Variable = name => Variables.GetValueOrDefault(name),
        Clock = Clock,
        Figures = Figures,
        Scope = scope,
        DataFolder = "/srv/danube-data",
        OwnNetwork = ownNetwork,
    });

    public void Write(string path, string text)
    {
        string full = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    public void Replace(string path, string old, string text)
    {
        string full = Path.Combine(Root, path);
        string before = File.ReadAllText(full);
        Assert.Contains(old, before);
        File.WriteAllText(full, before.Replace(old, text, StringComparison.Ordinal));
    }

    public void Delete(string path) => File.Delete(Path.Combine(Root, path));

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private void Lay(string file)
    {
        string? path = null;
        var text = new List<string>();
        foreach (string line in File.ReadLines(file).Append("==> "))
        {
            if (line.StartsWith("# + ", StringComparison.Ordinal))
            {
                Lay(Path.Combine(Path.GetDirectoryName(file)!, line[4..]));
            }
            else if (line.StartsWith("==> ", StringComparison.Ordinal))
            {
                if (!string.IsNullOrEmpty(path))
                {
                    Write(path, text.Count == 0 ? "" : string.Join('\n', text) + "\n");
                }

                string[] parts = line[4..].Split(" -> ");
                path = parts.Length == 1 ? parts[0] : null;
                text.Clear();
                if (parts.Length == 2)
                {
                    string link = Path.Combine(Root, parts[0]);
                    Directory.CreateDirectory(Path.GetDirectoryName(link)!);
                    File.CreateSymbolicLink(link, parts[1]);
                }
            }
            else if (path is not null)
            {
                text.Add(line);
            }
        }
    }
}
