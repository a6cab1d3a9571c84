using System.Xml.Linq;

namespace Danube.Fast.Architecture.Tests;

/// <summary>Project references only point downwards, as the map in the README draws them.</summary>
public sealed class ReferenceTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Protocol"] = [],
        ["Core"] = ["Protocol"],
        ["Wal"] = ["Core", "Protocol"],
        ["Metadata"] = ["Wal", "Protocol"],
        ["LoadManager"] = ["Core", "Metadata"],
        ["Server"] = ["LoadManager", "Metadata", "Wal", "Core", "Protocol"],
        ["Client"] = ["Protocol"],
        ["Cli"] = ["Client", "Wal", "Core", "Protocol"],
        ["AdminCli"] = [],
    };

    [Fact]
    public void Every_project_of_src_is_on_the_map()
    {
        IEnumerable<string> projects = Directory.EnumerateFiles(SourceTree.Src, "*.csproj", SearchOption.AllDirectories)
            .Select(f => Path.GetFileName(Path.GetDirectoryName(f))!);
        Assert.Equal(Allowed.Keys.Order(), projects.Order());
        Assert.Equal(Allowed.Keys.Order(), SourceTree.Assemblies.Keys.Order());
    }

    [Fact]
    public void Project_references_only_point_downwards()
    {
        foreach ((string project, string[] allowed) in Allowed)
        {
            string file = Directory.EnumerateFiles(Path.Combine(SourceTree.Src, project), "*.csproj").Single();
            IEnumerable<string> references = XDocument.Load(file).Descendants("ProjectReference")
                .Select(r => r.Attribute("Include")!.Value.Split('/', '\\')[^2]);
            Assert.True(!references.Except(allowed).Any(), $"{project} refers to {string.Join(", ", references.Except(allowed))}.");
        }
    }

    [Fact]
    public void Assemblies_use_no_more_than_their_projects_may()
    {
        Dictionary<string, string> projectOf = SourceTree.Assemblies.ToDictionary(a => a.Value, a => a.Key);
        foreach ((string project, System.Reflection.Assembly assembly) in SourceTree.Load())
        {
            IEnumerable<string> used = assembly.GetReferencedAssemblies()
                .Select(r => projectOf.GetValueOrDefault(r.Name!)).OfType<string>();
            Assert.True(!used.Except(Allowed[project]).Any(), $"{project} uses {string.Join(", ", used.Except(Allowed[project]))}.");
        }
    }

    [Fact]
    public void The_engine_and_the_protocol_know_no_sockets_and_no_files()
    {
        foreach ((string project, System.Reflection.Assembly assembly) in SourceTree.Load().Where(a => a.Project is "Core" or "Protocol"))
        {
            string[] names = [.. assembly.GetReferencedAssemblies().Select(r => r.Name!)];
            Assert.DoesNotContain("System.Net.Sockets", names);
            Assert.DoesNotContain("System.IO.MemoryMappedFiles", names);
            Assert.DoesNotContain(names, n => n.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal));
            Assert.True(project.Length > 0);
        }
    }
}
