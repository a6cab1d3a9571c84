using System.IO.Pipelines;
using System.Net.Sockets;
using Danube.Fast.Server.Transport;

namespace Danube.Fast.Server.Tests;

/// <summary>The allocation gate of the transport, alone and as part of a whole broker.</summary>
[Collection(Alone.Name)]
public sealed class AllocationTests
{
    [Fact]
    public void Sending_allocates_nothing()
    {
        using SocketPair pair = SocketPair.Create();
        using var run = new TestRun(64 * 1024, 9);
        var queue = new SendQueue(pair.Near, 1 << 20, 64 << 20, _ => { });
        byte[] prefix = new byte[128];
        byte[] sink = new byte[1 << 20];
        for (int i = 0; i < 200; i++)
        {
            Round();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 2000; i++)
        {
            Round();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Round()
        {
            queue.Send(prefix);
            queue.Send(prefix, run.Take());
            queue.Send(prefix);
            queue.Flush();
            int expected = (3 * prefix.Length) + (64 * 1024);
            while (expected > 0)
            {
                expected -= pair.Far.Receive(sink, 0, Math.Min(sink.Length, expected), SocketFlags.None);
            }
        }
    }

    [Fact]
    public async Task Receiving_allocates_nothing()
    {
        using SocketPair pair = SocketPair.Create();
        var reader = new SocketPipeReader(pair.Near);
        byte[] piece = new byte[40_000];
        for (int i = 0; i < 200; i++)
        {
            await RoundAsync();
        }

        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < 1000; i++)
        {
            await RoundAsync();
        }

        // The test's own awaits box a little now and then; a buffer per read would be 64 MB.
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 1_000_000);
        reader.Complete();

        async ValueTask RoundAsync()
        {
            pair.Far.Send(piece);
            int left = piece.Length;
            while (left > 0)
            {
                ReadResult result = await reader.ReadAsync();
                left -= (int)result.Buffer.Length;
                reader.AdvanceTo(result.Buffer.End);
            }
        }
    }
}
