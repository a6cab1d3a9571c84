using System.Reflection;

namespace Danube.Fast.Architecture.Tests;

/// <summary>Where the sources and the assemblies under test are.</summary>
internal static class SourceTree
{
    /// <summary>Projects of src with the assembly that each makes.</summary>
    public static readonly IReadOnlyDictionary<string, string> Assemblies = new Dictionary<string, string>
    {
        ["Protocol"] = "Danube.Fast.Protocol",
        ["Core"] = "Danube.Fast.Core",
        ["Wal"] = "Danube.Fast.Wal",
        ["Metadata"] = "Danube.Fast.Metadata",
        ["LoadManager"] = "Danube.Fast.LoadManager",
        ["Server"] = "danube-broker",
        ["Client"] = "Danube.Fast.Client",
        ["Cli"] = "danube-cli",
        ["AdminCli"] = "danube-admin-cli",
    };

    public static string Root { get; } = FindRoot();

    public static string Src => Path.Combine(Root, "src");

    public static IEnumerable<(string Project, Assembly Assembly)> Load() =>
        Assemblies.Select(a => (a.Key, Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, a.Value + ".dll"))));

    /// <summary>All C# files that people write under a folder of the repository, as paths relative to the root.</summary>
    public static IEnumerable<string> Files(params string[] folders) => folders
        .Select(f => Path.Combine(Root, f))
        .Where(Directory.Exists)
        .SelectMany(f => Directory.EnumerateFiles(f, "*.cs", SearchOption.AllDirectories))
        .Select(f => Path.GetRelativePath(Root, f))
        .Where(f => !f.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"));

    private static string FindRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Danube.Fast.sln")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return directory ?? throw new InvalidOperationException("The tests must run inside the source tree.");
    }
}
