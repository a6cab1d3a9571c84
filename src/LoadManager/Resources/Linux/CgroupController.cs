namespace Danube.Fast.LoadManager;

/// <summary>Where one controller of the process's control group is.</summary>
/// <param name="Version">1 or 2.</param>
/// <param name="MountPath">Folder of the topmost group that the process sees.</param>
/// <param name="Relative">The process's group below it, without a leading slash; empty for the topmost itself.</param>
internal sealed record CgroupController(int Version, string MountPath, string Relative)
{
    /// <summary>Folder of the process's own group.</summary>
    public string Own => Path.Combine(MountPath, Relative);

    /// <summary>The own group and those above it, as paths below <see cref="MountPath"/>, from the inside out: each may have a limit.</summary>
    public IEnumerable<string> Levels()
    {
        string level = Relative;
        while (level.Length > 0)
        {
            yield return level;
            level = Path.GetDirectoryName(level) ?? "";
        }

        yield return "";
    }

    /// <summary>A file of one of the <see cref="Levels"/>.</summary>
    public string File(string level, string name) => Path.Combine(MountPath, level, name);
}
