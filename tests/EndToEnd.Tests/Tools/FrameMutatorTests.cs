using Danube.Fast.Bench.Fuzz;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.Tools;

/// <summary>The malformed-input run is only worth its name when the seed decides and the mutations reach behind the checksums.</summary>
public class FrameMutatorTests
{
    private const int Frames = 5_000;

    [Fact]
    public void TheSameSeedGivesTheSameFrames()
    {
        Assert.Equal(Mutated(7), Mutated(7));
        Assert.NotEqual(Mutated(7), Mutated(8));
    }

    [Fact]
    public void MostFramesPassTheScannerAndManyDoNot()
    {
        var counts = Mutated(1).GroupBy(f => FrameScanner.Scan(f, ProtocolLimits.DefaultMaxFrame, true, out _)).ToDictionary(g => g.Key, g => g.Count());
        Assert.True(counts[ScanStatus.Done] > Frames / 3, $"{counts[ScanStatus.Done]} of {Frames} reach the code behind the scanner");
        Assert.True(counts[ScanStatus.Invalid] > Frames / 20);
        Assert.True(counts[ScanStatus.NeedMoreData] > 0);
    }

    private static IEnumerable<byte[]> Mutated(int seed)
    {
        var corpus = new FrameCorpus(new Random(seed));
        var mutator = new FrameMutator(new Random(seed + 1));
        for (int i = 0; i < Frames; i++)
        {
            yield return mutator.Mutate(corpus.Next(), corpus.Next());
        }
    }
}
