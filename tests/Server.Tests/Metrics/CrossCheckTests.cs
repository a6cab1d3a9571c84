using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>After a load whose size the auditor knows, every counter equals the auditor's own number.</summary>
public sealed class CrossCheckTests
{
    private const int FramesPerTopic = 120;

    [Theory]
    [InlineData("fsync")]
    [InlineData("os")]
    [InlineData("memory")]
    public async Task Every_counter_equals_what_the_auditor_has_counted(string durability)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        using RawClient producing = await broker.HelloAsync();
        using RawClient consuming = await broker.HelloAsync();
        var audit = new Audit("/audit/" + durability);
        CreateProducerReply producer = await producing.CreateProducerAsync(audit.Topic, durability: durability);
        SubscribeReply shared = await consuming.SubscribeAsync(audit.Topic, "shared", "shared", durability: durability);
        SubscribeReply whole = await consuming.SubscribeAsync(audit.Topic, "whole", "exclusive", durability: durability);
        foreach (SubscribeReply each in new[] { shared, whole })
        {
            await consuming.SendAsync(Frames.Credit(each.Channel, 1_000_000, 1 << 30, each.SubscriptionEpoch));
        }

        await PublishAsync(producing, producer, audit);
        await ConsumeAsync(consuming, shared, whole, audit);
        await RefuseAsync(producing, producer, audit);
        await SettleAsync(producing);
        await SettleAsync(consuming);

        MetricPage page = await ReadSettledAsync(http, producing, consuming);
        audit.Check(page, durability, producing, consuming);
    }

    private static async Task PublishAsync(RawClient client, CreateProducerReply producer, Audit audit)
    {
        var random = new Random(7);
        for (int i = 0; i < FramesPerTopic; i++)
        {
            byte[][] messages = [.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => new byte[random.Next(0, 300)])];
            byte[] frame = Frames.Publish(producer, audit.Messages + 1, messages);
            await client.SendAsync(frame);
            audit.Published(messages.Length, frame.Length);
        }

        for (int acknowledged = 0; acknowledged < FramesPerTopic;)
        {
            acknowledged += (await client.ReceiveAsync(FrameType.PublishAck)).PublishAck.Count;
        }
    }

    // Everything is acknowledged once; of the shared subscription the last message of each deliver is given back first.
    private static async Task ConsumeAsync(RawClient client, SubscribeReply shared, SubscribeReply whole, Audit audit)
    {
        while (audit.Acknowledged < 2 * (long)audit.Messages)
        {
            ReceivedFrame frame = await client.ReceiveAsync(FrameType.Deliver);
            List<long> offsets = OffsetsOf(frame.Deliver);
            bool again = frame.Deliver.RedeliveryCount > 0;
            audit.Delivered(frame.Bytes.Length, offsets.Count, again, frame.Deliver.Channel == whole.Channel);
            if (frame.Deliver.Channel == whole.Channel)
            {
                await client.SendAsync(Frames.Ack(whole.Channel, whole.SubscriptionEpoch, offsets[^1] + 1));
                audit.Acked(offsets);
                continue;
            }

            if (!again)
            {
                await client.SendAsync(Frames.Nack(shared.Channel, shared.SubscriptionEpoch, (offsets[^1], 1)));
                audit.Nacked(1);
                offsets.RemoveAt(offsets.Count - 1);
            }

            if (offsets.Count > 0)
            {
                await client.SendAsync(Frames.Ack(shared.Channel, shared.SubscriptionEpoch, 0, [.. offsets.Select(o => (o, 1u))]));
                audit.Acked(offsets);
            }
        }
    }

    private static async Task RefuseAsync(RawClient client, CreateProducerReply producer, Audit audit)
    {
        await client.SendAsync(Frames.Publish(producer, audit.Messages + 100, new byte[1]));
        Assert.Equal("sequence_gap", (await client.ReceiveAsync(FrameType.Error)).Error.Code);
        byte[] broken = Frames.Publish(producer, audit.Messages + 1, new byte[10]);
        broken[ProtocolLimits.HeaderSize + 5] ^= 1;
        await client.SendAsync(broken);
        Assert.Equal("bad_content_crc", (await client.ReceiveAsync(FrameType.Error)).Error.Code);
    }

    private static List<long> OffsetsOf(in DeliverFrame deliver)
    {
        var all = new List<long>();
        var run = new RunReader(deliver.Run);
        while (run.TryRead(out StoredFrame stored))
        {
            for (uint i = 0; i < stored.Header.RecordCount; i++)
            {
                all.Add(stored.Header.Offset + i);
            }
        }

        for (int i = 0; i < deliver.ExclusionCount; i++)
        {
            (uint first, uint count) = deliver.Exclusion(i);
            long from = deliver.FirstOffset + first;
            all.RemoveAll(o => o >= from && o < from + count);
        }

        Assert.Equal(deliver.Selected, (uint)all.Count);
        return all;
    }

    // The pong comes when everything before the ping was handled.
    private static async Task SettleAsync(RawClient client)
    {
        await client.SendAsync(Frames.Ping(1));
        await client.ReceiveAsync(FrameType.Pong);
    }

    // A send is counted when the system has taken it, which may be after the peer has it.
    private static async Task<MetricPage> ReadSettledAsync(HttpClient http, RawClient a, RawClient b)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            MetricPage page = await MetricPage.ReadAsync(http);
            if (page.Sum("danube_protocol_bytes_total", ("direction", "out")) >= a.BytesReceived + b.BytesReceived)
            {
                return page;
            }

            await Task.Delay(20, guard.Token);
        }
    }

    /// <summary>What the test itself has counted.</summary>
    private sealed class Audit(string topic)
    {
        private long _bytesIn, _bytesOut, _delivers, _firstDelivers, _messagesOut, _again, _wholeOut, _acks, _nacks, _pieces;

        public string Topic => topic;
        public ulong Messages { get; private set; }
        public long Acknowledged { get; private set; }

        public void Published(int messages, int bytes)
        {
            Messages += (ulong)messages;
            _bytesIn += bytes;
        }

        public void Delivered(int bytes, int messages, bool again, bool whole)
        {
            _bytesOut += bytes;
            _delivers++;
            _messagesOut += messages;
            _firstDelivers += again ? 0 : 1;
            _again += again ? messages : 0;
            _wholeOut += whole ? messages : 0;
        }

        public void Acked(List<long> offsets)
        {
            _acks++;
            Acknowledged += offsets.Count;
            _pieces += offsets.Count(o => !offsets.Contains(o - 1));
        }

        public void Nacked(int messages) => _nacks += messages;

        public void Check(MetricPage page, string durability, RawClient producing, RawClient consuming)
        {
            Is(Messages, "danube_topic_messages_in_total");
            Is(_bytesIn, "danube_topic_bytes_in_total");
            Is(FramesPerTopic, "danube_topic_frames_in_total");
            Is(FramesPerTopic, "danube_topic_publish_acks_total");
            Is(_messagesOut, "danube_topic_messages_out_total");
            Is(_bytesOut, "danube_topic_bytes_out_total");
            Is(_delivers, "danube_topic_delivers_total");
            Is(_again, "danube_topic_redelivered_total");
            Is(Acknowledged, "danube_topic_acknowledged_total");
            Is(_acks, "danube_topic_ack_frames_total");
            Is(_nacks, "danube_topic_nacked_total");
            Is(2, "danube_topic_refused_total");
            Is(FramesPerTopic, "danube_producer_send_total", ("result", "ok"));
            Is(1, "danube_producer_send_total", ("error_type", "sequence_gap"));
            Is(1, "danube_producer_send_total", ("error_type", "bad_content_crc"));
            Is(1, "danube_topic_active_producers");
            Is(2, "danube_topic_active_subscriptions");
            CheckSubscriptions();
            CheckLatencies();
            CheckLog();
            CheckProtocol();

            void CheckSubscriptions()
            {
                foreach ((string name, long sent) in new[] { ("whole", _wholeOut), ("shared", _messagesOut - _wholeOut) })
                {
                    (string, string) subscription = ("subscription", name);
                    long back = name == "shared" ? _nacks : 0;
                    Is(sent, "danube_consumer_receive_total", subscription);
                    Is(Messages, "danube_consumer_ack_total", subscription, ("result", "ok"));
                    Is(0, "danube_consumer_ack_total", subscription, ("result", "error"));
                    Is((long)Messages + back, "danube_dispatcher_enqueue_total", subscription);
                    Is((long)Messages + back, "danube_dispatcher_dequeue_total", subscription);
                    Is(back, "danube_sub_redelivery_total", subscription, ("reason", "nack"));
                    Is(back, "danube_sub_redelivery_total", subscription);
                    Is(Messages, "danube_sub_progress_offset", subscription);
                    Is(1, "danube_consumer_active", subscription);
                    foreach (string gauge in new[] { "danube_topic_backlog_messages", "danube_consumer_lag_messages", "danube_dispatcher_queue_depth", "danube_sub_pending_messages" })
                    {
                        Is(0, gauge, subscription);
                    }
                }
            }

            void CheckLatencies()
            {
                Is(FramesPerTopic, "danube_producer_send_latency_ms_count");
                Is(_firstDelivers, "danube_topic_dispatch_latency_ms_count");

                // What lies apart in a deliver is settled by itself.
                Is(durability == "memory" ? _firstDelivers : _pieces, "danube_dispatcher_commit_latency_ms_count");
            }

            void CheckLog()
            {
                bool isLogged = durability != "memory";
                Is(isLogged ? FramesPerTopic : 0, "danube_wal_append_total");
                Is(isLogged ? _bytesIn : 0, "danube_wal_append_bytes_total");
                Is(isLogged ? 2 : 0, "danube_wal_reader_create_total", ("start_pos", "earliest"));
                Is(page.Sum("danube_wal_cache_hits_total") + page.Sum("danube_wal_cache_misses_total"), "danube_wal_reader_read_total");
                Is(page.Sum("danube_wal_reader_read_total"), "danube_wal_reader_read_latency_ms_count");
                Assert.InRange(page.Sum("danube_wal_append_latency_ms_count"), isLogged ? 1 : 0, isLogged ? FramesPerTopic : 0);
                Assert.Equal(page.Sum("danube_wal_fsync_total"), page.Sum("danube_wal_fsync_batch_bytes_count"));
            }

            void CheckProtocol()
            {
                Assert.Equal(producing.BytesSent + consuming.BytesSent, page.Sum("danube_protocol_bytes_total", ("direction", "in")));
                Assert.Equal(producing.BytesReceived + consuming.BytesReceived, page.Sum("danube_protocol_bytes_total", ("direction", "out")));
                Assert.Equal(FramesPerTopic + 2, page.Sum("danube_protocol_messages_total", ("direction", "in"), ("type", "publish")));
                Assert.Equal(_delivers, page.Sum("danube_protocol_messages_total", ("direction", "out"), ("type", "deliver")));
                Assert.Equal(_acks, page.Sum("danube_protocol_messages_total", ("direction", "in"), ("type", "ack")));
                Assert.Equal(2, page.Sum("danube_protocol_messages_total", ("direction", "in"), ("type", "event")));
                Assert.Equal(3, page.Sum("danube_protocol_messages_total", ("direction", "in"), ("type", "request")));
                Assert.Equal(3, page.Sum("danube_protocol_messages_total", ("direction", "out"), ("type", "response")));
                Assert.Equal(2, page.Sum("danube_protocol_messages_total", ("direction", "out"), ("type", "error")));
                foreach (string direction in new[] { "in", "out" })
                {
                    Assert.Equal(page.Sum("danube_protocol_messages_total", ("direction", direction)), page.Sum("danube_protocol_encoding_total", ("direction", direction)));
                }

                Assert.Equal(5, page.Sum("danube_protocol_encoding_total", ("direction", "in"), ("encoding", "json")));
                Assert.Equal(7, page.Sum("danube_protocol_encoding_total", ("direction", "out"), ("encoding", "json")));
                Assert.Equal(3, page.Sum("danube_broker_rpc_total", ("result", "ok")));
                Assert.Equal(2, page.Sum("danube_rpc_errors_total"));
            }

            void Is(double expected, string name, params (string, string)[] labels) =>
                Assert.Equal((name, expected), (name, page.Sum(name, [.. labels, .. name.StartsWith("danube_wal", StringComparison.Ordinal) || name.StartsWith("danube_topic", StringComparison.Ordinal) ? [("topic", topic)] : Array.Empty<(string, string)>()])));
        }
    }
}
