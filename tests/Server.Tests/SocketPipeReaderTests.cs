using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Danube.Fast.Server.Transport;

namespace Danube.Fast.Server.Tests;

public sealed class SocketPipeReaderTests
{
    [Fact]
    public async Task An_idle_connection_holds_no_buffer()
    {
        using SocketPair pair = SocketPair.Create();
        var reader = new SocketPipeReader(pair.Near);
        ValueTask<ReadResult> read = reader.ReadAsync();
        Assert.False(read.IsCompleted);
        Assert.Equal(0, reader.BufferHeld);
        pair.Far.Send(new byte[] { 1, 2, 3 });
        ReadResult result = await read;
        Assert.Equal([1, 2, 3], result.Buffer.ToArray());
        reader.AdvanceTo(result.Buffer.End);
        read = reader.ReadAsync();
        Assert.Equal(0, reader.BufferHeld);
        pair.Far.Shutdown(SocketShutdown.Both);
        Assert.True((await read).IsCompleted);
        reader.Complete();
    }

    [Fact]
    public async Task Every_read_is_one_segment_whatever_is_left_over()
    {
        using SocketPair pair = SocketPair.Create();
        var reader = new SocketPipeReader(pair.Near);
        byte[] sent = new byte[5_000_000];
        new Random(7).NextBytes(sent);
        Task sending = Task.Run(() =>
        {
            for (int at = 0; at < sent.Length;)
            {
                at += pair.Far.Send(sent, at, Math.Min(70_001, sent.Length - at), SocketFlags.None);
            }

            pair.Far.Shutdown(SocketShutdown.Send);
        });

        // Takes pieces of odd sizes and asks for more than was left, as a parser of frames does.
        var random = new Random(8);
        int taken = 0;
        while (true)
        {
            int wanted = random.Next(1, 200_000);
            ReadResult result = await reader.ReadAtLeastAsync(wanted);
            Assert.True(result.Buffer.IsSingleSegment);
            if (result.Buffer.Length < wanted)
            {
                Assert.True(result.IsCompleted);
            }

            int take = (int)Math.Min(wanted, result.Buffer.Length);
            Assert.True(result.Buffer.Slice(0, take).FirstSpan.SequenceEqual(sent.AsSpan(taken, take)));
            taken += take;
            reader.AdvanceTo(result.Buffer.GetPosition(take), result.Buffer.End);
            if (result.IsCompleted && taken == sent.Length)
            {
                break;
            }
        }

        await sending;
        Assert.Equal(sent.Length, reader.BytesReceived);
        reader.Complete();
    }

    [Fact]
    public async Task Examined_bytes_are_not_handed_out_again_without_new_ones()
    {
        using SocketPair pair = SocketPair.Create();
        var reader = new SocketPipeReader(pair.Near);
        pair.Far.Send(new byte[] { 1 });
        ReadResult result = await reader.ReadAsync();
        reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Assert.False(reader.TryRead(out _));
        ValueTask<ReadResult> read = reader.ReadAsync();
        Assert.False(read.IsCompleted);
        Assert.NotEqual(0, reader.BufferHeld);
        pair.Far.Send(new byte[] { 2 });
        Assert.Equal([1, 2], (await read).Buffer.ToArray());
        reader.Complete();
        Assert.Equal(0, reader.BufferHeld);
    }

    [Fact]
    public async Task A_header_that_promises_much_gets_no_buffer_for_it()
    {
        using SocketPair pair = SocketPair.Create();
        var reader = new SocketPipeReader(pair.Near);
        pair.Far.Send(new byte[128]);
        ReadResult result = await reader.ReadAsync();
        reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        ValueTask<ReadResult> read = reader.ReadAtLeastAsync(64 * 1024 * 1024);
        Assert.False(read.IsCompleted);
        Assert.Equal(SocketPipeReader.SmallestBuffer, reader.BufferHeld);
        pair.Far.Shutdown(SocketShutdown.Both);
        Assert.Equal(128, (await read).Buffer.Length);
        reader.Complete();
    }

    [Fact]
    public async Task A_reset_ends_the_stream_with_its_error()
    {
        using SocketPair pair = SocketPair.Create();
        var reader = new SocketPipeReader(pair.Near);
        ValueTask<ReadResult> read = reader.ReadAsync();
        pair.Far.LingerState = new LingerOption(true, 0);
        pair.Far.Dispose();
        Assert.True((await read).IsCompleted);
        Assert.Equal(SocketError.ConnectionReset, reader.Error);
        reader.Complete();
        Assert.Throws<NotSupportedException>(reader.CancelPendingRead);
    }
}
