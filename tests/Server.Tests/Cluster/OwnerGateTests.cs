using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>The gate that topics ask, over the clock that brokers use.</summary>
public sealed class OwnerGateTests
{
    [Fact]
    public void It_is_open_for_its_own_session_only_and_only_while_the_proof_holds()
    {
        var time = new Danube.Fast.Tests.ManualTime();
        var proof = new OwnerProof(time);
        var gate = new OwnerGate(proof, 7);
        Assert.False(gate.MayAcknowledge);
        proof.Prove(7, time.GetTimestamp());
        Assert.True(gate.MayAcknowledge);
        time.Advance(OwnerProof.Trust);
        Assert.False(gate.MayAcknowledge);
        proof.Prove(8, time.GetTimestamp());
        Assert.False(gate.MayAcknowledge);
        Assert.True(new OwnerGate(proof, 8).MayAcknowledge);
    }

    [Fact]
    public void Asking_allocates_nothing()
    {
        var clock = new BootClock();
        var proof = new OwnerProof(clock);
        var gate = new OwnerGate(proof, 7);
        proof.Prove(7, clock.GetTimestamp());
        Assert.True(gate.MayAcknowledge);
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool all = true;
        for (int i = 0; i < 10_000; i++)
        {
            all &= gate.MayAcknowledge;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(all);
    }
}
