using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Danube.Fast.Bench.Peers.Servers;

/// <summary>apt-get with lists and archives in a folder of the user, for the machine's own release of Debian and the two newer ones. Needs no rights.</summary>
internal sealed partial class PeerApt
{
    private const string FallbackArchive = "http://deb.debian.org/debian", Keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

    private readonly string _folder;
    private readonly string[] _options;
    private bool _isUpdated;

    public PeerApt(string folder)
    {
        _folder = Directory.CreateDirectory(folder).FullName;
        OwnSuite = Regex.Match(File.Exists("/etc/os-release") ? File.ReadAllText("/etc/os-release") : "", "VERSION_CODENAME=(\\w+)").Groups[1].Value;
        _options =
        [
            "-qq", "-o", $"Dir::Etc::SourceList={_folder}/sources.list", "-o", "Dir::Etc::SourceParts=-", "-o", "Dir::Etc::PreferencesParts=-", "-o", $"Dir::State::Lists={_folder}/lists",
            "-o", $"Dir::Cache={_folder}/cache", "-o", $"APT::Default-Release={OwnSuite}", "-o", "APT::Sandbox::User=", "-o", "Acquire::Languages=none", "-o", "Debug::NoLocking=1",
        ];
    }

    /// <summary>Code name of the machine's release.</summary>
    public string OwnSuite { get; }

    /// <summary>The package and all it needs that is not installed on this machine.</summary>
    public string[] Closure(string package)
    {
        Update();
        string plan = Run(_folder, "apt-get", [.. _options, "--simulate", "--reinstall", "--no-install-recommends", "install", package]);
        string[] names = [.. Planned().Matches(plan).Select(m => m.Groups[1].Value)];
        return names.Contains(package) ? names : [.. names, package];
    }

    /// <summary>Downloads packages and unpacks them into the folder "root" of <paramref name="folder"/>.</summary>
    public void Unpack(string[] packages, string suite, string folder)
    {
        Update();
        string archives = Directory.CreateDirectory(Path.Combine(folder, "archives")).FullName;
        Run(archives, "apt-get", [.. _options, "download", .. packages.Select(p => $"{p}/{suite}")]);
        foreach (string archive in Directory.EnumerateFiles(archives, "*.deb"))
        {
            Run(archives, "dpkg-deb", ["-x", archive, Path.Combine(folder, "root")]);
        }
    }

    /// <summary>Upstream version of an unpacked package.</summary>
    public string VersionOf(string folder, string package)
    {
        string archives = Path.Combine(folder, "archives");
        string archive = Directory.EnumerateFiles(archives, package + "_*.deb").First();
        string version = Run(archives, "dpkg-deb", ["-f", archive, "Version"]).Trim();
        return Upstream().Match(version).Groups[1].Value;
    }

    private void Update()
    {
        if (_isUpdated)
        {
            return;
        }

        string archive = SystemArchive();
        Directory.CreateDirectory(Path.Combine(_folder, "lists", "partial"));
        Directory.CreateDirectory(Path.Combine(_folder, "cache", "archives", "partial"));
        string signed = File.Exists(Keyring) ? $"[signed-by={Keyring}] " : "";
        File.WriteAllLines(Path.Combine(_folder, "sources.list"), new[] { OwnSuite, "trixie", "sid" }.Distinct().Where(s => s.Length > 0).Select(s => $"deb {signed}{archive} {s} main"));
        Run(_folder, "apt-get", [.. _options, "update"]);
        _isUpdated = true;
    }

    // Where the machine itself gets its packages, which may be a mirror.
    private static string SystemArchive()
    {
        string[] files = [.. new[] { "/etc/apt/sources.list" }.Where(File.Exists), .. Directory.Exists("/etc/apt/sources.list.d") ? Directory.EnumerateFiles("/etc/apt/sources.list.d") : []];
        return files.Where(f => f.EndsWith(".list", StringComparison.Ordinal) || f.EndsWith(".sources", StringComparison.Ordinal))
            .SelectMany(File.ReadLines).Where(l => !l.StartsWith('#')).Select(l => Archive().Match(l)).FirstOrDefault(m => m.Success)?.Value ?? FallbackArchive;
    }

    private static string Run(string folder, string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["LC_ALL"] = "C";
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : throw new PeerUnavailableException($"{program} ended with code {process.ExitCode}: {error.Result.Trim()}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new PeerUnavailableException($"{program} is not on this machine: the peers come from Debian's packages.");
        }
    }

    [GeneratedRegex(@"^Inst (\S+)", RegexOptions.Multiline)]
    private static partial Regex Planned();

    [GeneratedRegex(@"https?://\S+/debian/?(?=\s|$)")]
    private static partial Regex Archive();

    [GeneratedRegex(@"^(?:\d+:)?([^-+~]+)")]
    private static partial Regex Upstream();
}
