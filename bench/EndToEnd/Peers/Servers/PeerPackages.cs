using System.Runtime.InteropServices;

namespace Danube.Fast.Bench.Peers.Servers;

/// <summary>A peer cannot be had on this machine.</summary>
internal sealed class PeerUnavailableException(string message) : Exception(message);

/// <summary>
/// A server unpacked from Debian packages into a folder of the user. Nothing is installed, no service is started, the system's package lists stay as they are: apt works
/// on lists of its own in the same folder. A folder that is complete is used again; remove it to get newer packages.
/// </summary>
internal sealed class PeerPackages
{
    private const string ReadyFile = "version";

    private readonly string _root;

    private PeerPackages(string folder)
    {
        _root = Path.Combine(folder, "root");
        Version = File.ReadAllText(Path.Combine(folder, ReadyFile)).Trim();
        string[] libraries = [.. new[] { "usr/lib", "lib" }.Select(d => Path.Combine(_root, d, Triplet)).Where(Directory.Exists)];
        Environment = libraries.Length == 0 ? new Dictionary<string, string>() : new Dictionary<string, string> { ["LD_LIBRARY_PATH"] = string.Join(':', libraries) };
    }

    /// <summary>Version of the server without Debian's additions.</summary>
    public string Version { get; }

    /// <summary>Variables that the programs need.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    private static string Triplet => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64-linux-gnu" : "x86_64-linux-gnu";

    /// <summary>Downloads and unpacks what is not there yet.</summary>
    /// <param name="apt">Where packages come from.</param>
    /// <param name="cache">Folder of all peers' packages.</param>
    /// <param name="package">The server's package.</param>
    /// <param name="suites">Releases to try, best first; empty = the machine's own release, with all packages that are missing here.</param>
    /// <exception cref="PeerUnavailableException">The package is not to be had, or does not run here.</exception>
    public static PeerPackages Prepare(PeerApt apt, string cache, string package, params string[] suites)
    {
        string folder = Path.Combine(cache, package);
        if (File.Exists(Path.Combine(folder, ReadyFile)))
        {
            return new PeerPackages(folder);
        }

        var reasons = new List<string>();
        foreach (string suite in suites.Length == 0 ? [apt.OwnSuite] : suites)
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, true);
            }

            try
            {
                string[] packages = suites.Length == 0 ? apt.Closure(package) : [package];
                apt.Unpack(packages, suite, folder);
                File.WriteAllText(Path.Combine(folder, ReadyFile), apt.VersionOf(folder, package));
                return new PeerPackages(folder);
            }
            catch (PeerUnavailableException e)
            {
                reasons.Add($"{suite}: {e.Message}");
            }
        }

        throw new PeerUnavailableException($"Debian's package {package} cannot be had. {string.Join(" ", reasons)}");
    }

    /// <summary>Path of a program that was unpacked.</summary>
    public string Find(string program) => new[] { "usr/bin", "usr/sbin" }.Select(d => Path.Combine(_root, d, program)).FirstOrDefault(File.Exists)
        ?? throw new PeerUnavailableException($"{program} is not in its package.");

    /// <summary>A folder that was unpacked, or the machine's own.</summary>
    public string FindFolder(string relative) => Directory.Exists(Path.Combine(_root, relative)) ? Path.Combine(_root, relative) : "/" + relative;

    /// <summary>A file below a folder that was unpacked, whose path ends like this.</summary>
    public string FindBelow(string relative, string end) =>
        Directory.EnumerateFiles(FindFolder(relative), Path.GetFileName(end), SearchOption.AllDirectories).FirstOrDefault(f => f.EndsWith("/" + end, StringComparison.Ordinal))
        ?? throw new PeerUnavailableException($"{end} is not below {relative}.");
}
