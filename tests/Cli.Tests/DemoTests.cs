using System.Diagnostics;
using System.Text;
using Danube.Fast.Cli.Demo;

namespace Danube.Fast.Cli.Tests;

public sealed class DemoTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("danube-demo-tests-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_demo_runs_on_lines_of_its_own_and_leaves_nothing_behind()
    {
        // A process with a temporary folder of its own: others may come and go in the one that all share.
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[ChildProcess.Self, "demo", "--lines", "20000"])
        {
            start.ArgumentList.Add(argument);
        }

        DirectoryInfo temporary = _folder.CreateSubdirectory("tmp");
        start.Environment["TMPDIR"] = temporary.FullName;
        using Process demo = Process.Start(start)!;
        using var hang = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        Task<string> error = demo.StandardError.ReadToEndAsync(hang.Token);
        string output = await demo.StandardOutput.ReadToEndAsync(hang.Token);
        await demo.WaitForExitAsync(hang.Token);
        Assert.Equal((0, ""), (demo.ExitCode, await error));
        foreach (string word in (string[])["published", "consumed", "publish-ack", "end to end", "allocated", "verified     20,000 messages"])
        {
            Assert.Contains(word, output, StringComparison.Ordinal);
        }

        Assert.Empty(temporary.GetFileSystemInfos("danube*"));
    }

    [Fact]
    public async Task The_demo_gives_a_binary_file_without_a_final_newline_back()
    {
        var bytes = new byte[300_001];
        new Random(3).NextBytes(bytes);
        bytes[^1] = (byte)'x';
        string path = Path.Combine(_folder.FullName, "binary");
        await File.WriteAllBytesAsync(path, bytes);
        (int exitCode, string output, string error) = await UsageTests.RunAsync(CliCommandLine.RunAsync, "demo " + path);
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("byte for byte", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_file_is_a_failure()
    {
        string path = Path.Combine(_folder.FullName, "empty");
        await File.WriteAllBytesAsync(path, []);
        (int exitCode, _, string error) = await UsageTests.RunAsync(CliCommandLine.RunAsync, "demo " + path);
        Assert.Equal(1, exitCode);
        Assert.Contains("is empty", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Differences_are_found_wherever_they_are()
    {
        string left = Write("left", "0123456789\n");
        DemoInput input = DemoInput.Inspect(left);
        Assert.Equal((11, 1, true), (input.Bytes, input.Lines, input.EndsWithNewLine));
        Assert.True(input.HasSameBytesAs(left, out _));
        Assert.False(input.HasSameBytesAs(Write("other", "0123X56789\n"), out long at));
        Assert.Equal(4, at);
        Assert.False(input.HasSameBytesAs(Write("short", "0123456789"), out at));
        Assert.Equal(10, at);
        Assert.False(input.HasSameBytesAs(Write("long", "0123456789\n\n"), out at));
        Assert.Equal(11, at);
    }

    [Fact]
    public void A_generated_file_is_the_same_every_time()
    {
        string first = Path.Combine(_folder.FullName, "a"), second = Path.Combine(_folder.FullName, "b");
        DemoInput.Generate(first, 1000);
        DemoInput.Generate(second, 1000);
        Assert.True(DemoInput.Inspect(first).HasSameBytesAs(second, out _));
        Assert.Equal(1000, DemoInput.Inspect(first).Lines);
    }

    [Theory]
    [InlineData("dotnet_gc_allocated_bytes_total 12\n", 12.0)]
    [InlineData("# HELP dotnet_gc_allocated_bytes_total x\ndotnet_gc_allocated_bytes_total{a=\"b c\"} 1.5e3\nother 1\n", 1500.0)]
    [InlineData("dotnet_gc_allocated_bytes_total_more 12\n", null)]
    public void The_broker_s_allocations_are_read_from_its_metrics(string text, double? expected) =>
        Assert.Equal(expected, AllocationProbe.Find(text));

    [Fact]
    public void The_first_line_of_a_broker_says_where_it_listens()
    {
        Dictionary<string, string> fields = BrokerProcess.ParseAddresses("DANUBE native=127.0.0.1:6650 http=[::1]:9040 pid=12 data=/a/b=c");
        Assert.Equal(("127.0.0.1:6650", "[::1]:9040", "/a/b=c"), (fields["native"], fields["http"], fields["data"]));
        Assert.Empty(BrokerProcess.ParseAddresses("something else"));
        Assert.Empty(BrokerProcess.ParseAddresses(null));
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder.FullName, name);
        File.WriteAllBytes(path, Encoding.ASCII.GetBytes(text));
        return path;
    }
}
