using System.Diagnostics;
using Danube.Fast.Bench.Peers.Servers;

namespace Danube.Fast.EndToEnd.Tests.Peers;

/// <summary>Servers of somebody else leave nothing behind.</summary>
public sealed class PeerProcessTests
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(60);

    [Fact]
    public void The_whole_group_and_its_folder_go_with_it()
    {
        string folder = Directory.CreateTempSubdirectory("danube-peer-").FullName, child = Path.Combine(folder, "child");
        int childId;
        using (PeerProcess process = PeerProcess.Start(folder, "test", ["/bin/sh", "-c", $"sleep 1000 & echo $! >{child}.part; mv {child}.part {child}; wait"], new Dictionary<string, string>()))
        {
            long began = Stopwatch.GetTimestamp();
            while (!File.Exists(child))
            {
                Assert.True(Stopwatch.GetElapsedTime(began) < HangGuard, process.Output);
                Thread.Sleep(10);
            }

            childId = int.Parse(File.ReadAllText(child));
            Assert.True(Runs(childId));
            process.Freeze();
        }

        long ended = Stopwatch.GetTimestamp();
        while (Runs(childId))
        {
            Assert.True(Stopwatch.GetElapsedTime(ended) < HangGuard, "The child of the server still runs.");
            Thread.Sleep(10);
        }

        Assert.False(Directory.Exists(folder));
    }

    // A dead process that nobody has waited for does not run.
    private static bool Runs(int id) => File.Exists($"/proc/{id}/stat") && !File.ReadAllText($"/proc/{id}/stat").Contains(") Z ", StringComparison.Ordinal);
}
