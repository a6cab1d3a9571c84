using System.Globalization;
using Xunit.Abstractions;

namespace Danube.Fast.Core.Tests;

/// <summary>
/// Random sequences of publish, credit, take, ack, nack, timeout, seek, join, leave and restart on a subscription of each type, against
/// <see cref="DeliveryModel"/>: nothing lost, nothing out of order within a key (on ordered types nothing left out), nothing
/// delivered that was acknowledged, redelivery counts right, no consumer sent anything without credit. The environment variable
/// DANUBE_MODEL_SEQUENCES makes it longer. A failure names its seed; DANUBE_MODEL_SEED starts there and lists the delivers too.
/// </summary>
public abstract class ModelTests(SubscriptionType type, ITestOutputHelper output)
{
    private const int Sequences = 4_000;
    private const int MovesPerSequence = 40;

    // Every so many sequences a long one: states that take many moves to come about.
    private const int LongEvery = 50, MovesOfLong = 150;

    [Fact]
    public async Task Random_sequences_agree_with_the_model()
    {
        int sequences = int.TryParse(Environment.GetEnvironmentVariable("DANUBE_MODEL_SEQUENCES"), NumberStyles.None, CultureInfo.InvariantCulture, out int wanted) ? wanted : Sequences;
        long delivered = 0, redelivered = 0;
        int first = int.TryParse(Environment.GetEnvironmentVariable("DANUBE_MODEL_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out int one) ? one : 1;
        for (int seed = first; seed < first + sequences; seed++)
        {
            var run = new ModelRun(seed, type) { Traces = first > 1 };
            try
            {
                await run.PlayAsync(seed % LongEvery == 0 ? MovesOfLong : MovesPerSequence);
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}: {string.Join("; ", run.Moves)}{Environment.NewLine}{error}");
            }

            delivered += run.Delivered;
            redelivered += run.Redelivered;
        }

        output.WriteLine($"{type}: {sequences} sequences of {MovesPerSequence} moves, {delivered} records delivered, {redelivered} of them again after a failure.");
        Assert.True(delivered > sequences * 10L && redelivered > sequences, "the moves hardly deliver anything");
    }
}

public sealed class ExclusiveModelTests(ITestOutputHelper output) : ModelTests(SubscriptionType.Exclusive, output);

public sealed class SharedModelTests(ITestOutputHelper output) : ModelTests(SubscriptionType.Shared, output);

public sealed class FailoverModelTests(ITestOutputHelper output) : ModelTests(SubscriptionType.Failover, output);

public sealed class KeySharedModelTests(ITestOutputHelper output) : ModelTests(SubscriptionType.KeyShared, output);
