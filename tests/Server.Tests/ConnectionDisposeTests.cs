using Danube.Fast.Server.Transport;

namespace Danube.Fast.Server.Tests;

public sealed class ConnectionDisposeTests
{
    /// <summary>An exception on a thread of the socket engine would end the process, here the test run.</summary>
    [Fact]
    public void Closing_while_a_send_is_on_its_way_harms_nobody()
    {
        using var run = new TestRun(1_000_000, 7);
        for (int i = 0; i < 200; i++)
        {
            using SocketPair pair = SocketPair.Create(bufferBytes: 8192);
            var connection = new Connection(i, pair.Near, 1 << 20, 64 << 20);
            Assert.True(connection.Output.Send(new byte[128], run.Take()));
            connection.Output.Flush();
            Assert.NotNull(connection.Output.StalledSinceMs);
            connection.Dispose();
        }

        Assert.True(SpinWait.SpinUntil(() => run.References == 0, TimeSpan.FromSeconds(60)));
    }
}
