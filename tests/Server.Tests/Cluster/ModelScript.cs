using FsCheck;
using FsCheck.Fluent;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>How a broker of the model fares for some seconds.</summary>
internal enum ModelMood
{
    /// <summary>It takes a whole turn every second.</summary>
    Healthy,

    /// <summary>It reads its own key, but its renewals do not arrive; from some moment on it is frozen.</summary>
    LosingItsLease,

    /// <summary>It does nothing at all.</summary>
    Frozen,

    /// <summary>Single steps in any order, crashes and lost answers among them.</summary>
    Chaos,
}

/// <summary>Some seconds during which nothing changes in how the brokers fare.</summary>
internal sealed record ModelPhase(ModelMood First, ModelMood Second, int Seconds, int Seed)
{
    private const int StepsOfChaos = 12;

    private static readonly Gen<ModelMood> Mood = Gen.Frequency(
        (4, Gen.Constant(ModelMood.Healthy)), (2, Gen.Constant(ModelMood.LosingItsLease)),
        (1, Gen.Constant(ModelMood.Frozen)), (3, Gen.Constant(ModelMood.Chaos)));

    public static Arbitrary<ModelPhase[]> Scripts { get; } = (
        from first in Mood
        from second in Mood
        from seconds in Gen.Choose(1, 25)
        from seed in Gen.Choose(0, int.MaxValue - 1)
        select new ModelPhase(first, second, seconds, seed)).ArrayOf(15).ToArbitrary();

    /// <summary>The single steps: actor (0, 1: the brokers; 2: time and the network), what it does, and a number to choose by.</summary>
    public IEnumerable<(int Actor, int Choice, int Parameter)> Steps()
    {
        var random = new Random(Seed);
        int freezesAt = random.Next(Seconds);
        for (int second = 0; second < Seconds; second++)
        {
            // Neither broker is always the first.
            int first = random.Next(2);
            foreach (int actor in (int[])[first, 1 - first])
            {
                foreach (int choice in Choices(actor == 0 ? First : Second, second < freezesAt, random))
                {
                    yield return (actor, choice, random.Next(8));
                }
            }

            if (random.Next(4) == 0)
            {
                yield return (2, ClusterModel.LateArrival, random.Next(8));
            }

            yield return (2, ClusterModel.OneSecond, 0);
        }
    }

    private static int[] Choices(ModelMood mood, bool reads, Random random) => mood switch
    {
        ModelMood.Healthy => [ModelBroker.WholeTurn],
        ModelMood.LosingItsLease when reads => [2, 3, 4],
        ModelMood.Chaos => [.. Enumerable.Range(0, StepsOfChaos).Select(_ => random.Next(60) == 0 ? ModelBroker.Dies : random.Next(ModelBroker.Dies))],
        _ => [],
    };
}
