using Danube.Fast.Tests;
using Danube.Fast.Wal;

namespace Danube.Fast.Cli.Tests;

/// <summary><c>log inspect | verify</c> on golden directories: exit codes, faults, and that nothing is changed.</summary>
public sealed class LogCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("danube-log-").FullName;

    public static TheoryData<string> Names => [.. GoldenFolder.Names];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Exit_code_and_text_say_whether_all_is_good(string name)
    {
        GoldenContent content = Unpack(name);
        Dictionary<string, string> before = Files();
        (int exitCode, string output, string error) = await UsageTests.RunAsync(CliCommandLine.RunAsync, $"log verify {_folder}");
        Assert.Equal(content.Faults.Count == 0 ? CliCommandLine.Success : CliCommandLine.Failure, exitCode);
        Assert.Equal(content.Faults.Count, Lines(output).Count(l => l.StartsWith("damaged: ", StringComparison.Ordinal)));
        Assert.All(content.Faults, fault => Assert.Contains("damaged: " + fault, output, StringComparison.Ordinal));
        Assert.Contains(content.Faults.Count switch { 0 => "all good", 1 => "1 fault\n", int many => $"{many} faults\n" }, output, StringComparison.Ordinal);
        Assert.Empty(error);
        foreach (GoldenTopic topic in content.Topics)
        {
            string row = Assert.Single(Lines(output), l => l.StartsWith($"{topic.Id}  ", StringComparison.Ordinal));
            string[] cells = row.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal([$"{topic.Start}", $"{topic.End}"], cells[2..4]);
            Assert.Equal($"{topic.Damages.Sum(d => d.To - d.From)}", cells[^1]);
        }

        Assert.Equal(before, Files());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Inspect_names_every_segment_and_cursor(string name)
    {
        GoldenContent content = Unpack(name);
        Dictionary<string, string> before = Files();
        (_, string output, string error) = await UsageTests.RunAsync(CliCommandLine.RunAsync, $"log inspect {_folder}");
        Assert.Contains("checkpoint slot 0", output, StringComparison.Ordinal);
        Assert.Contains("cursors.log: ", output, StringComparison.Ordinal);
        Assert.Contains(content.Lengths.ContainsKey("journal") ? "journal: ring of 262144 bytes, " : "journal: none", output, StringComparison.Ordinal);
        Assert.All(content.Topics, t => Assert.Contains($"topic {t.Id}: start {t.Start}, ", output, StringComparison.Ordinal));
        Assert.All(content.Topics.SelectMany(t => t.Cursors.Keys), c => Assert.Contains($"subscription {c}: ", output, StringComparison.Ordinal));
        IEnumerable<string> segments = content.Lengths.Keys.Where(f => f.EndsWith(".log", StringComparison.Ordinal) && !f.Contains("deleted-", StringComparison.Ordinal) && f.Contains('/'));
        Assert.All(segments, s => Assert.Contains(Path.GetFileName(s), output, StringComparison.Ordinal));
        Assert.Equal(content.Lengths.Keys.Any(f => f.Contains("deleted-", StringComparison.Ordinal)), output.Contains("1 deleted log ", StringComparison.Ordinal));
        Assert.Empty(error);
        Assert.Equal(before, Files());
    }

    [Fact]
    public async Task What_cannot_be_looked_at_is_wrong_usage_and_not_damage()
    {
        (int exitCode, string output, string error) = await UsageTests.RunAsync(CliCommandLine.RunAsync, $"log verify {_folder}");
        Assert.Equal((CliCommandLine.Usage, ""), (exitCode, output));
        Assert.Contains(_folder, error, StringComparison.Ordinal);

        Unpack("v1/clean-stop");
        using (DataDirectory.Open(_folder, new WalOptions { LowSpaceBytes = 0, JournalBytes = 0 }))
        {
            (exitCode, output, error) = await UsageTests.RunAsync(CliCommandLine.RunAsync, $"log inspect {_folder}");
            Assert.Equal((CliCommandLine.Usage, ""), (exitCode, output));
            Assert.Contains("is locked by process", error, StringComparison.Ordinal);
        }

        // A copy has no lock file.
        File.Delete(Path.Combine(_folder, "LOCK"));
        (exitCode, _, _) = await UsageTests.RunAsync(CliCommandLine.RunAsync, $"log verify {_folder}");
        Assert.Equal(CliCommandLine.Success, exitCode);
        Assert.False(File.Exists(Path.Combine(_folder, "LOCK")));
    }

    private GoldenContent Unpack(string name)
    {
        string golden = Path.Combine(GoldenFolder.Root, name);
        GoldenContent content = GoldenContent.Read(golden);
        GoldenFolder.Unpack(golden, content, _folder);
        return content;
    }

    private Dictionary<string, string> Files() => Directory.GetFiles(_folder, "*", SearchOption.AllDirectories)
        .ToDictionary(f => f, f => $"{File.GetLastWriteTimeUtc(f):O} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f)))}");

    private static string[] Lines(string text) => text.Split('\n');
}
