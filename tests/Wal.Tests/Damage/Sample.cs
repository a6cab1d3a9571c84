namespace Danube.Fast.Wal.Tests;

/// <summary>Which places of a file a run tries: all of them in the long mode, else the edges and a sample with a fixed seed.</summary>
internal static class Sample
{
    /// <summary>Places in [0, <paramref name="count"/>).</summary>
    /// <param name="count">How many there are.</param>
    /// <param name="wanted">How many of them a sampled run takes beside the edges.</param>
    /// <param name="edges">Places that every run tries, with their neighbours.</param>
    /// <param name="isUsed">False for a place without data of interest: of those also the long mode takes one of 64.</param>
    public static IEnumerable<int> Of(int count, int wanted, IEnumerable<int> edges, Func<int, bool>? isUsed = null)
    {
        if (LongMode.IsOn)
        {
            return Enumerable.Range(0, count).Where(i => isUsed is null || isUsed(i) || i % 64 == 0 || i == count - 1);
        }

        var random = new Random(count);
        var places = new SortedSet<int>(edges.SelectMany(e => new[] { e - 1, e, e + 1 }).Where(e => e >= 0 && e < count));
        for (int i = 0; i < wanted; i++)
        {
            places.Add(random.Next(count));
        }

        return places;
    }
}
