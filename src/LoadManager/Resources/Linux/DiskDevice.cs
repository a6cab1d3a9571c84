using System.Text;

namespace Danube.Fast.LoadManager;

/// <summary>The block device under a folder.</summary>
/// <param name="Number">Its <c>major:minor</c>; for a partition that of the partition.</param>
/// <param name="WholeDisk"><c>major:minor</c> of the disk that it is a part of: control groups count by disk.</param>
internal sealed record DiskDevice(string Number, string WholeDisk)
{
    /// <summary>Finds the device through the mounts of the process; null for a file system without one (overlay, network, memory).</summary>
    public static DiskDevice? Under(string folder, MonitorEnvironment environment, SystemFile file)
    {
        MountPoint? mount = null;
        foreach (MountPoint candidate in MountPoint.ReadAll(environment, file))
        {
            // The last mount on a folder hides earlier ones.
            if (candidate.Holds(folder) && (mount is null || candidate.Path.Length >= mount.Path.Length))
            {
                mount = candidate;
            }
        }

        if (mount is null)
        {
            return null;
        }

        string? number = mount.Device.StartsWith("0:", StringComparison.Ordinal) ? NumberOf(mount.Source, environment, file) : mount.Device;
        return number is null ? null : new DiskDevice(number, WholeDiskOf(number, environment, file));
    }

    // File systems over several devices (btrfs) have a number of their own; the source then names one of them.
    private static string? NumberOf(string source, MonitorEnvironment environment, SystemFile file)
    {
        if (!source.StartsWith("/dev/", StringComparison.Ordinal))
        {
            return null;
        }

        string path = environment.At(source);
        string name = Path.GetFileName(Resolve(path) ?? path);
        ReadOnlySpan<byte> number = file.ReadOrEmpty(environment.At($"sys/class/block/{name}/dev"));
        return number.IsEmpty ? null : Encoding.ASCII.GetString(TextLines.NextField(ref number));
    }

    private static string WholeDiskOf(string number, MonitorEnvironment environment, SystemFile file)
    {
        string folder = environment.At($"sys/dev/block/{number}");
        if (!File.Exists(Path.Combine(folder, "partition")))
        {
            return number;
        }

        string? parent = Path.GetDirectoryName(Resolve(folder) ?? folder);
        ReadOnlySpan<byte> text = parent is null ? [] : file.ReadOrEmpty(Path.Combine(parent, "dev"));
        return text.IsEmpty ? number : Encoding.ASCII.GetString(TextLines.NextField(ref text));
    }

    private static string? Resolve(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
