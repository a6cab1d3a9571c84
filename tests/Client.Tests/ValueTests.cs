using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Addresses, ids, attributes, options, and the small parts that need no connection.</summary>
public sealed class ValueTests
{
    [Theory]
    [InlineData("danube://host:7000", "host", 7000)]
    [InlineData("DANUBE://host:7000/", "host", 7000)]
    [InlineData("host", "host", 6650)]
    [InlineData("10.0.0.1:1", "10.0.0.1", 1)]
    [InlineData("danube://[::1]:6650", "::1", 6650)]
    [InlineData("[::1]", "::1", 6650)]
    public void Addresses_are_read(string text, string host, int port) => Assert.Equal(new BrokerAddress(host, port), BrokerAddress.Parse(text));

    [Theory]
    [InlineData("danube://")]
    [InlineData("http://host:80")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:abc")]
    public void What_is_no_address_is_refused(string text) => Assert.Throws<ArgumentException>(() => BrokerAddress.Parse(text));

    [Fact]
    public void Addresses_are_written() => Assert.Equal("danube://[::1]:6650", new BrokerAddress("::1", 6650).ToString());

    [Fact]
    public void Ids_are_compared_written_and_read()
    {
        MessageId[] ordered = [new(0, 9, 5), new(0, 1, 6), new(0, 2, 6), new(1, 0, 0)];
        Assert.Equal(ordered, ordered.Reverse().Order());
        Assert.True(ordered[0] < ordered[1] && ordered[1] <= ordered[2] && ordered[3] > ordered[2] && ordered[3] >= ordered[3]);
        Assert.True(MessageId.TryParse(ordered[1].ToString(), out MessageId read));
        Assert.Equal(ordered[1], read);
        Assert.All(new[] { null, "", "1:2", "1:2:x", "-1:2:3", "a:b:c:d" }, t => Assert.False(MessageId.TryParse(t, out _)));
    }

    [Fact]
    public void Attributes_keep_their_order_and_their_limits()
    {
        var attributes = MessageAttributes.From(new Dictionary<string, string> { ["a"] = "1", ["b"] = "" });
        Assert.Equal(2, attributes.Count);
        Assert.True(attributes.TryGet("b", out string empty) && empty.Length == 0);
        Assert.False(attributes.TryGet("c", out _));
        Assert.True(attributes.TryGetBytes("a"u8, out ReadOnlySpan<byte> one) && one.SequenceEqual("1"u8));
        Assert.Equal(0, default(MessageAttributes).Count);
        Assert.Empty(new MessageAttributes().ToArray());
        Assert.Throws<ArgumentException>(() => new MessageAttributes(new KeyValuePair<string, string>("", "x")));
        Assert.Throws<ArgumentException>(() => new MessageAttributes(new KeyValuePair<string, string>(new string('n', 256), "x")));
        Assert.Throws<ArgumentException>(() => new MessageAttributes(new KeyValuePair<string, string>("n", new string('v', 65_536))));
        Assert.Throws<ArgumentException>(() => MessageAttributes.From(Enumerable.Range(0, 256).Select(i => new KeyValuePair<string, string>($"{i}", ""))));
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new ProducerOptions { Topic = "" }.Validate());
        Assert.Throws<ArgumentOutOfRangeException>(() => new ProducerOptions { Topic = "/t/a", MaxBatchBytes = 1 }.Validate());
        Assert.Throws<ArgumentOutOfRangeException>(() => new ProducerOptions { Topic = "/t/a", MaxBatchRecords = 0 }.Validate());
        Assert.Throws<ArgumentOutOfRangeException>(() => new ProducerOptions { Topic = "/t/a", MaxPartialBatches = 65 }.Validate());
        Assert.Throws<ArgumentOutOfRangeException>(() => new ProducerOptions { Topic = "/t/a", Compression = (Codec)7 }.Validate());
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConsumerOptions { Topic = "/t/a", Subscription = "s", CreditRecords = 0 }.Validate());
        Assert.Throws<ArgumentException>(() => new ConsumerOptions { Topic = "/t/a", Subscription = "" }.Validate());
        Assert.Throws<ArgumentOutOfRangeException>(() => new DanubeClientOptions { DeadAfter = TimeSpan.FromSeconds(1) }.Validate());
        Assert.Throws<ArgumentOutOfRangeException>(() => new DanubeClientOptions { MaxFrame = 1 }.Validate());
    }

    [Fact]
    public void Pauses_double_up_to_the_longest_less_a_random_part()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(450));
        foreach (int most in new[] { 100, 200, 400, 450, 450 })
        {
            Assert.InRange(backoff.Next().TotalMilliseconds, most / 2.0, most);
        }
    }

    [Fact]
    public void Sets_of_offsets_equal_a_model()
    {
        var random = new Random(11);
        for (int round = 0; round < 200; round++)
        {
            var ranges = new OffsetRanges();
            var model = new SortedSet<long>();
            for (int i = 0; i < 40; i++)
            {
                long from = random.Next(0, 150), to = from + random.Next(1, 12);
                ranges.Add(from, to);
                model.UnionWith(Enumerable.Range((int)from, (int)(to - from)).Select(o => (long)o));
                Assert.Equal(model.Max + 1, ranges.End);
            }

            Assert.All(Enumerable.Range(-1, 170), o => Assert.Equal(model.Contains(o), ranges.Contains(o)));
            Assert.Equal(model.Count(o => !model.Contains(o + 1)), ranges.Count);
        }

        var many = new OffsetRanges();
        for (int i = 0; i <= OffsetRanges.MaxRanges; i++)
        {
            many.Add(i * 2, (i * 2) + 1);
        }

        Assert.Equal(OffsetRanges.MaxRanges, many.Count);
        Assert.False(many.Contains(0));
        many.Clear();
        Assert.Equal(0, many.End);
    }

    [Fact]
    public void A_refused_batch_leaves_the_window_and_the_later_ones_take_over_its_sequences()
    {
        using var pool = new BatchPool(1 << 20);
        var window = new BatchWindow();
        ulong sequence = 1;
        for (int i = 0; i < BatchWindow.MaxBatches; i++)
        {
            Batch batch = pool.Rent();
            for (int k = 0; k <= i % 3; k++)
            {
                Assert.True(batch.TryAppend("x"u8));
            }

            batch.FirstSequence = sequence;
            sequence += (uint)batch.Count;
            window.Add(batch);
        }

        Assert.True(window.IsFull);
        window.Sent = 10;
        Assert.Equal(1ul, window.RemoveFirst().FirstSequence);
        int at = window.FindSent(window[4].FirstSequence);
        Assert.Equal(4, at);
        Assert.Equal(-1, window.FindSent(window[20].FirstSequence));
        window.RemoveAt(at);
        Assert.Equal(8, window.Sent);
        for (int i = 1; i < window.Count; i++)
        {
            Assert.Equal(window[i - 1].LastSequence + 1, window[i].FirstSequence);
        }

        Assert.Equal(Enumerable.Range(0, window.Count).Sum(i => (long)window[i].Length), window.Bytes);
    }

    [Fact]
    public void Receive_memory_is_reused_and_frames_are_never_split()
    {
        var pool = new BlockPool();
        using var buffer = new ReceiveBuffer(pool);
        var random = new Random(5);
        long written = 0, parsed = 0;
        var kept = new Queue<(ReceiveBlock Block, int At, int Length, byte First)>();
        for (int i = 0; i < 2000; i++)
        {
            int frame = random.Next(1, i % 50 == 0 ? 300_000 : 5000);
            int have = buffer.Unparsed.Length;
            while (have < frame)
            {
                Memory<byte> room = buffer.Room(frame);
                int received = Math.Min(room.Length, random.Next(1, 60_000));
                for (int k = 0; k < received; k++)
                {
                    room.Span[k] = (byte)(written++ * 31);
                }

                buffer.Received(received);
                have = buffer.Unparsed.Length;
            }

            Assert.Equal((byte)(parsed * 31), buffer.Unparsed[0]);
            Assert.Equal((byte)((parsed + frame - 1) * 31), buffer.Unparsed[frame - 1]);
            buffer.Block.AddReference();
            kept.Enqueue((buffer.Block, buffer.Start, frame, buffer.Unparsed[0]));
            buffer.Parsed(frame);
            parsed += frame;
            if (kept.Count > 20)
            {
                (ReceiveBlock block, int at, int length, byte first) = kept.Dequeue();
                Assert.Equal(first, block.Bytes[at]);
                Assert.Equal((byte)(first + ((length - 1) * 31)), block.Bytes[at + length - 1]);
                block.Release();
            }
        }
    }
}
