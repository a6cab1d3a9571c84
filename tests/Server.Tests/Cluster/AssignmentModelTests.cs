using Danube.Fast.Core;
using FsCheck;
using FsCheck.Fluent;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>
/// Random interleavings of two brokers, either of which may lead: frozen and crashed brokers, late and lost answers, delayed views,
/// expired leases. No state may have two brokers that would acknowledge, no epoch may be served twice, and what an owner stored may
/// not be given to a broker that cannot read it.
/// </summary>
public sealed class AssignmentModelTests
{
    private const int Cases = 600;

    [Theory]
    [InlineData(DurabilityClass.Memory)]
    [InlineData(DurabilityClass.Object)]
    [InlineData(DurabilityClass.Fsync)]
    public void Two_brokers_never_acknowledge_at_once(DurabilityClass durability)
    {
        int servings = 0, moves = 0;
        Prop.ForAll(ModelPhase.Scripts, script =>
        {
            var model = new ClusterModel(durability);
            string? fault = model.Play(script.SelectMany(p => p.Steps()));
            servings += model.Servings;
            moves += model.Moves;
            return fault is null ? true : throw new InvalidOperationException(fault);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Cases));

        // A model that never gets anywhere proves nothing.
        Assert.True(servings > Cases, $"{servings} openings in {Cases} runs");
        Assert.True(moves > Cases / 4, $"{moves} changes of the owner in {Cases} runs");
    }

    [Fact]
    public void A_hand_over_that_does_not_wait_out_the_proof_is_found()
    {
        var faults = new List<string>();
        Prop.ForAll(ModelPhase.Scripts, script =>
        {
            if (new ClusterModel(DurabilityClass.Memory, handOverSeconds: 4).Play(script.SelectMany(p => p.Steps())) is { } fault)
            {
                faults.Add(fault);
            }
        }).Check(Config.Quick.WithMaxTest(Cases));
        Assert.Contains(faults, f => f.StartsWith("both brokers", StringComparison.Ordinal));
    }
}
