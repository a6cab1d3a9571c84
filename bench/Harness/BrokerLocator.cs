namespace Danube.Fast.Harness;

/// <summary>Finds the built broker: <c>DANUBE_BROKER</c> (a path) first, then <c>src/Server/bin</c> of the repository around the caller.</summary>
public static class BrokerLocator
{
    /// <summary>Folder that holds <c>Danube.Fast.sln</c>.</summary>
    /// <exception cref="DirectoryNotFoundException">The caller does not run from inside the repository.</exception>
    public static string RepositoryRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Danube.Fast.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"This program is not in a source tree of Danube.Fast: there is no Danube.Fast.sln above {AppContext.BaseDirectory}. Run it with ./danube of a source tree; for a broker alone DANUBE_BROKER, the path of danube-broker.dll, is enough.");
    }

    /// <summary>Path of <c>danube-broker.dll</c>, in the caller's own configuration when that is built, else Release.</summary>
    /// <exception cref="FileNotFoundException">The broker is not built.</exception>
    public static string BrokerAssembly()
    {
        if (Environment.GetEnvironmentVariable("DANUBE_BROKER") is { Length: > 0 } given)
        {
            return given.EndsWith(".dll", StringComparison.Ordinal) ? given : given + ".dll";
        }

        return Find(Path.Combine("src", "Server"), "danube-broker.dll");
    }

    /// <summary>Path of <c>danube-bench.dll</c>, whose worker processes load a broker.</summary>
    /// <exception cref="FileNotFoundException">It is not built.</exception>
    public static string BenchAssembly() => Find(Path.Combine("bench", "EndToEnd"), "danube-bench.dll");

    /// <summary>Path of <c>danube-microbench.dll</c>.</summary>
    /// <exception cref="FileNotFoundException">It is not built.</exception>
    public static string MicroBenchAssembly() => Find(Path.Combine("bench", "Micro"), "danube-microbench.dll");

    private static string Find(string project, string assembly)
    {
        string root = RepositoryRoot();
        string own = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Debug{Path.DirectorySeparatorChar}") ? "Debug" : "Release";
        foreach (string configuration in new[] { own, "Release" })
        {
            string path = Path.Combine(root, project, "bin", configuration, "net10.0", assembly);
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new FileNotFoundException($"{assembly} is not built: run `dotnet build {project} -c Release`.");
    }
}
