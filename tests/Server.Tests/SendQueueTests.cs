using System.Net.Sockets;
using Danube.Fast.Server.Transport;

namespace Danube.Fast.Server.Tests;

public sealed class SendQueueTests
{
    private const long MaxSmall = 1 << 20, MaxRuns = 64 << 20;

    [Fact]
    public void Small_frames_and_runs_leave_in_the_order_of_the_calls()
    {
        using SocketPair pair = SocketPair.Create();
        using var large = new TestRun(100_000, 1);
        using var small = new TestRun(1000, 2);
        var queue = new SendQueue(pair.Near, MaxSmall, MaxRuns, _ => { });
        var expected = new List<byte>();
        for (int i = 0; i < 30; i++)
        {
            byte[] prefix = [.. Enumerable.Range(0, 128 + i).Select(b => (byte)(b * i))];
            Assert.True(queue.Send(prefix));
            expected.AddRange(prefix);
            Assert.True(queue.Send(prefix, large.Take()));
            expected.AddRange([.. prefix, .. large.Bytes]);
            Assert.True(queue.Send(prefix, small.Take()));
            expected.AddRange([.. prefix, .. small.Bytes]);
        }

        queue.Flush();
        Assert.Equal(expected, pair.ReceiveFar(expected.Count));
        WaitFor(() => (queue.BytesQueued, queue.BytesSent, large.References, small.References) == (0, expected.Count, 0, 0));
        Assert.Null(queue.StalledSinceMs);
    }

    [Fact]
    public void A_full_socket_is_waited_for_and_the_order_holds()
    {
        using SocketPair pair = SocketPair.Create(bufferBytes: 8192);
        using var run = new TestRun(1_000_000, 3);
        var queue = new SendQueue(pair.Near, MaxSmall, MaxRuns, _ => { });
        byte[] prefix = new byte[128];
        for (int i = 0; i < 20; i++)
        {
            prefix[0] = (byte)i;
            queue.Send(prefix, run.Take());
            queue.Flush();
        }

        Assert.NotNull(queue.StalledSinceMs);
        Assert.True(run.References > 0);
        for (int i = 0; i < 20; i++)
        {
            prefix[0] = (byte)i;
            Assert.Equal(prefix, pair.ReceiveFar(128));
            Assert.Equal(run.Bytes, pair.ReceiveFar(1_000_000));
        }

        WaitFor(() => run.References == 0 && queue.StalledSinceMs is null);
    }

    [Fact]
    public async Task Many_writers_and_flushers_lose_nothing()
    {
        using SocketPair pair = SocketPair.Create();
        using var run = new TestRun(16_384, 4);
        var queue = new SendQueue(pair.Near, 64 << 20, 1L << 40, _ => { });
        const int writers = 4, frames = 2000;
        Task[] tasks = [.. Enumerable.Range(0, writers).Select(w => Task.Run(() =>
        {
            byte[] frame = new byte[64];
            frame[0] = (byte)w;
            for (int i = 0; i < frames; i++)
            {
                BitConverter.TryWriteBytes(frame.AsSpan(4), i);
                if (i % 16 == 0)
                {
                    frame[1] = 1;
                    queue.Send(frame, run.Take());
                    frame[1] = 0;
                }
                else
                {
                    queue.Send(frame);
                }

                if (i % 3 == 0)
                {
                    queue.Flush();
                }
            }

            queue.Flush();
        }))];

        int[] next = new int[writers];
        for (int received = 0; received < writers * frames; received++)
        {
            byte[] frame = pair.ReceiveFar(64);
            Assert.Equal(next[frame[0]]++, BitConverter.ToInt32(frame, 4));
            if (frame[1] == 1)
            {
                pair.ReceiveFar(16_384);
            }
        }

        await Task.WhenAll(tasks);
        WaitFor(() => run.References == 0);
    }

    [Fact]
    public void Closing_gives_every_run_back_once()
    {
        using SocketPair pair = SocketPair.Create(bufferBytes: 8192);
        using var run = new TestRun(500_000, 5);
        var failures = new List<SendFailure>();
        var queue = new SendQueue(pair.Near, MaxSmall, MaxRuns, failures.Add);
        for (int i = 0; i < 10; i++)
        {
            queue.Send(new byte[128], run.Take());
        }

        queue.Flush();
        queue.Close(SendFailure.Closed);
        pair.Near.Shutdown(SocketShutdown.Both);
        WaitFor(() => run.References == 0);
        Assert.False(queue.Send(new byte[1]));
        Assert.False(queue.Send(new byte[1], run.Take()));
        Assert.Equal(0, run.References);
        Assert.Equal([SendFailure.Closed], failures);
    }

    [Fact]
    public void A_lost_peer_gives_every_run_back_and_is_reported_once()
    {
        using SocketPair pair = SocketPair.Create(bufferBytes: 8192);
        using var run = new TestRun(500_000, 6);
        var failures = new List<SendFailure>();
        var queue = new SendQueue(pair.Near, MaxSmall, MaxRuns, failures.Add);
        for (int i = 0; i < 10; i++)
        {
            queue.Send(new byte[128], run.Take());
        }

        queue.Flush();
        pair.Far.LingerState = new LingerOption(true, 0);
        pair.Far.Dispose();
        WaitFor(() => run.References == 0 && failures.Count > 0);
        queue.Close(SendFailure.Closed);
        Assert.Equal([SendFailure.Lost], failures);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void More_than_the_limit_closes_the_queue(bool runs)
    {
        using SocketPair pair = SocketPair.Create(bufferBytes: 8192);
        using var run = new TestRun(500_000, 7);
        SendFailure? failure = null;
        var queue = new SendQueue(pair.Near, MaxSmall, 2_000_000, f =>
        {
            failure = f;
            pair.Near.Shutdown(SocketShutdown.Both);
        });
        int sent = 0;
        while (sent < 100_000 && (runs ? queue.Send(new byte[128], run.Take()) : queue.Send(new byte[1024])))
        {
            queue.Flush();
            sent++;
        }

        Assert.Equal(SendFailure.TooMuchQueued, failure);
        Assert.InRange(sent, 2, 20_000);
        WaitFor(() => run.References == 0);
    }

    [Fact]
    public void Finish_sends_what_is_queued_and_then_ends_the_stream()
    {
        using SocketPair pair = SocketPair.Create(bufferBytes: 8192);
        using var run = new TestRun(1_000_000, 8);
        var queue = new SendQueue(pair.Near, MaxSmall, MaxRuns, _ => { });
        queue.Send(new byte[128], run.Take());
        queue.Finish();
        Assert.False(queue.Send(new byte[1]));
        pair.ReceiveFar(128);
        Assert.Equal(run.Bytes, pair.ReceiveFar(1_000_000));
        Assert.Equal(0, pair.Far.Receive(new byte[1]));
        WaitFor(() => run.References == 0);
    }

    [Fact]
    public void Finish_of_an_empty_queue_ends_the_stream()
    {
        using SocketPair pair = SocketPair.Create();
        new SendQueue(pair.Near, MaxSmall, MaxRuns, _ => { }).Finish();
        Assert.Equal(0, pair.Far.Receive(new byte[1]));
    }

    internal static void WaitFor(Func<bool> condition) =>
        Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(60)), "the condition did not come true within 60 s");
}
