using System.Text;

namespace Danube.Fast.LoadManager;

/// <summary>A line of <c>/proc/self/mountinfo</c>.</summary>
/// <param name="Device"><c>major:minor</c>.</param>
/// <param name="SubTree">Which folder of the file system is mounted.</param>
/// <param name="Path">Where.</param>
/// <param name="Type">File system, for example <c>ext4</c> or <c>cgroup2</c>.</param>
/// <param name="Source">Device or name.</param>
/// <param name="Options">Of the file system, for example the controllers of a cgroup mount.</param>
internal sealed record MountPoint(string Device, string SubTree, string Path, string Type, string Source, string[] Options)
{
    /// <summary>True when a folder lies below this mount, going by names.</summary>
    public bool Holds(string folder) =>
        Path == "/" || folder == Path || (folder.StartsWith(Path, StringComparison.Ordinal) && folder[Path.Length] == '/');

    /// <summary>All mounts that the process sees, in the order of mounting; none when they cannot be read.</summary>
    public static IReadOnlyList<MountPoint> ReadAll(MonitorEnvironment environment, SystemFile file)
    {
        var mounts = new List<MountPoint>();
        string text = Encoding.UTF8.GetString(file.ReadOrEmpty(environment.At("proc/self/mountinfo")));
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] fields = line.Split(' ');
            int dash = Array.IndexOf(fields, "-");
            if (dash >= 6 && fields.Length >= dash + 4)
            {
                mounts.Add(new MountPoint(
                    fields[2], Unescape(fields[3]), Unescape(fields[4]), fields[dash + 1], Unescape(fields[dash + 2]), fields[dash + 3].Split(',')));
            }
        }

        return mounts;
    }

    // Blanks and backslashes are written as \040 and \134.
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                result.Append((char)(((text[i + 1] - '0') * 64) + ((text[i + 2] - '0') * 8) + (text[i + 3] - '0')));
                i += 3;
            }
            else
            {
                result.Append(text[i]);
            }
        }

        return result.ToString();
    }
}
