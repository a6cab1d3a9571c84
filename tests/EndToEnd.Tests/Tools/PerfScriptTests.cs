using Danube.Fast.Bench.Profiling;

namespace Danube.Fast.EndToEnd.Tests.Tools;

/// <summary>Stacks as perf prints them become named samples; self and inclusive shares follow from them.</summary>
public class PerfScriptTests
{
    private const string Text = """
        .NET TP Worker 12345
        	    7f0000000100 void [Danube.Fast.Core] Danube.Fast.Core.Topic::Publish(class Danube.Fast.Core.Producer,valuetype [System.Runtime]System.Span`1<uint8>)[OptimizedTier1] (/tmp/perf-12.map)
        	    7f0000000200 void [danube-broker] Danube.Fast.Server.Session::OnFrame(int32)[Tier0] (/tmp/perf-12.map)
        	    7f0000000200 void [danube-broker] Danube.Fast.Server.Session::OnFrame(int32)[Tier0] (/tmp/perf-12.map)

        wal-committer 12346
        	ffffffff81000000 ext4_sync_file ([kernel.kallsyms])
        	    7f0000000300 fdatasync (/usr/lib/x86_64-linux-gnu/libc.so.6)
        	    7f0000000400 [unknown] (/usr/lib/libcoreclr.so)

        .NET TP Worker 12345/12999
        	    7f0000000200 void [danube-broker] Danube.Fast.Server.Session::OnFrame(int32)[Tier0] (/tmp/perf-12.map)
        """;

    [Fact]
    public void SamplesAreReadAndAddedUp()
    {
        var summary = new ProfileSummary("broker");
        var script = new PerfScript(summary.Add);
        foreach (string line in Text.Split('\n'))
        {
            script.Read(line.TrimEnd('\r'));
        }

        script.End();
        Assert.Equal(3, summary.Count);
        Assert.Equal((1, 1), (summary.SelfOf("Danube.Fast.Core.Topic.Publish"), summary.SelfOf("kernel: ext4_sync_file")));

        // Twice in one stack counts once.
        Assert.Equal((1, 2), (summary.SelfOf("Danube.Fast.Server.Session.OnFrame"), summary.InclusiveOf("Danube.Fast.Server.Session.OnFrame")));
        Assert.Equal((1, 1), (summary.InclusiveOf("native: fdatasync"), summary.InclusiveOf("[libcoreclr.so]")));
        Assert.Contains(".NET TP Worker;Danube.Fast.Server.Session.OnFrame 1", summary.Folded());
        Assert.Contains("wal-committer;[libcoreclr.so];native: fdatasync;kernel: ext4_sync_file 1", summary.Folded());
        Assert.Contains("66.7 %", summary.ToText(10), StringComparison.Ordinal);
    }
}
