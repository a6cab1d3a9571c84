namespace Danube.Fast.LoadManager.Tests;

/// <summary>Population standard deviation over mean.</summary>
public sealed class ImbalanceTests
{
    [Theory]
    [InlineData(0.6532, new double[] { 10.0, 50.0, 90.0 })]
    [InlineData(0.0, new double[] { 4.0, 4.0, 4.0 })]
    [InlineData(0.2041, new double[] { 5.0, 3.0, 4.0 })]
    [InlineData(0.3536, new double[] { 5.0, 2.0, 5.0 })]
    [InlineData(0.7071, new double[] { 6.0, 0.0, 6.0 })]
    [InlineData(1.4142, new double[] { 12.0, 0.0, 0.0 })]
    [InlineData(0.0, new double[] { 7.0 })]
    [InlineData(0.0, new double[] { })]
    [InlineData(0.0, new double[] { 0.0, 0.0 })]
    public void Known_vectors(double expected, double[] scores) => Assert.Equal(expected, Imbalance.Of(scores), 4);

    [Fact]
    public void A_ranking_has_that_of_its_scores()
    {
        var simple = new LoadManagerOptions { RankingAlgorithm = RankingAlgorithm.Simple };
        Cluster cluster = new Cluster(simple).With(1, topics: 6).With(2, topics: 0).With(3, topics: 6).With(4, topics: 90);
        cluster.Load.Board.SetMode(4, BrokerMode.Drained);
        Assert.Equal(0.7071, cluster.Load.Ranking().Imbalance, 4);
    }
}
