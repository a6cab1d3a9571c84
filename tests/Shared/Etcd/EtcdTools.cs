using System.Diagnostics;

namespace Danube.Fast.Tests.Etcd;

/// <summary>Where etcd's programs are: on the path, or where <c>./danube test</c> unpacks Debian's packages.</summary>
internal static class EtcdTools
{
    /// <summary>Where <c>./danube test</c> unpacks packages.</summary>
    public static string Packages { get; } = Path.Combine(Root(), "artifacts", "packages");

    public static string Find(string program)
    {
        IEnumerable<string> folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return folders.Append(Path.Combine(Packages, "usr", "bin")).Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException(
                $"{program} is needed for this test: run './danube test' (it unpacks Debian's etcd-server and etcd-client), or install them.");
    }

    /// <summary>Runs etcdctl to its end.</summary>
    public static async Task ControlAsync(EtcdProcess etcd, params string[] arguments)
    {
        var start = new ProcessStartInfo(Find("etcdctl")) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["ETCDCTL_API"] = "3";
        foreach (string argument in (string[])["--endpoints", etcd.Endpoint.Authority, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"etcdctl {string.Join(' ', arguments)}: {error}{await output}");
    }

    private static string Root()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Danube.Fast.sln")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return directory ?? "";
    }
}
