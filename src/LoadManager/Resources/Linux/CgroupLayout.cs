using System.Text;

namespace Danube.Fast.LoadManager;

/// <summary>
/// The control groups of the process: version 2, version 1, or both (hybrid), where each controller is in one of them. Read from
/// <c>/proc/self/cgroup</c> and the mounts; where those say nothing, from the usual folders.
/// </summary>
internal sealed class CgroupLayout
{
    private const string UsualRoot = "/sys/fs/cgroup";

    private readonly MonitorEnvironment _environment;
    private readonly IReadOnlyList<MountPoint> _mounts;
    private readonly Dictionary<string, string> _firstVersion = new(StringComparer.Ordinal);
    private string? _secondVersion;

    public CgroupLayout(MonitorEnvironment environment, SystemFile file)
    {
        _environment = environment;
        _mounts = MountPoint.ReadAll(environment, file);
        foreach (string line in Encoding.UTF8.GetString(file.ReadOrEmpty(environment.At("proc/self/cgroup"))).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // Number, controllers, path; version 2 has number 0 and no controllers. A path may hold colons.
            string[] fields = line.Split(':', 3);
            if (fields.Length == 3 && fields[0] == "0" && fields[1].Length == 0)
            {
                _secondVersion = fields[2];
            }
            else if (fields.Length == 3)
            {
                foreach (string controller in fields[1].Split(','))
                {
                    _firstVersion[controller] = fields[2];
                }
            }
        }

        Cpu = Find("cpu");
        CpuAccounting = Cpu is { Version: 2 } ? Cpu : Find("cpuacct") ?? Cpu;
        Memory = Find("memory");
        Io = Find("blkio");
    }

    /// <summary>Quotas of processor time; null when there are no control groups.</summary>
    public CgroupController? Cpu { get; }

    /// <summary>Used processor time: a hierarchy of its own in some layouts of version 1.</summary>
    public CgroupController? CpuAccounting { get; }

    public CgroupController? Memory { get; }

    public CgroupController? Io { get; }

    private CgroupController? Find(string controller) => FindFirst(controller) ?? FindSecond();

    private CgroupController? FindFirst(string controller)
    {
        string? folder = null, subTree = "/";
        foreach (MountPoint mount in _mounts)
        {
            if (mount.Type == "cgroup" && mount.Options.Contains(controller))
            {
                (folder, subTree) = (_environment.At(mount.Path), mount.SubTree);
            }
        }

        if (folder is null && _mounts.Count == 0)
        {
            string usual = _environment.At($"{UsualRoot}/{controller}");
            folder = Directory.Exists(usual) ? usual : null;
        }

        return folder is null ? null : Locate(1, folder, _firstVersion.GetValueOrDefault(controller, "/"), subTree);
    }

    private CgroupController? FindSecond()
    {
        string? folder = null, subTree = "/";
        foreach (MountPoint mount in _mounts)
        {
            if (mount.Type == "cgroup2")
            {
                (folder, subTree) = (_environment.At(mount.Path), mount.SubTree);
            }
        }

        if (folder is null && _mounts.Count == 0 && File.Exists(_environment.At(UsualRoot + "/cgroup.controllers")))
        {
            folder = _environment.At(UsualRoot);
        }

        return folder is null ? null : Locate(2, folder, _secondVersion ?? "/", subTree);
    }

    // A container may see only its own part of the tree: the mount begins at SubTree, and paths that lie elsewhere mean the mount itself.
    private static CgroupController Locate(int version, string folder, string group, string subTree)
    {
        string relative = "";
        if (subTree == "/")
        {
            relative = group.TrimStart('/');
        }
        else if (group.StartsWith(subTree + "/", StringComparison.Ordinal))
        {
            relative = group[(subTree.Length + 1)..];
        }

        bool isThere = !relative.StartsWith("..", StringComparison.Ordinal) && Directory.Exists(Path.Combine(folder, relative));
        return new CgroupController(version, folder, isThere ? relative : "");
    }
}
