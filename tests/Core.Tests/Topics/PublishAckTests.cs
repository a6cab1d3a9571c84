using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Promise 1 as far as it is the engine's: no acknowledgement before the watermark, none after a failure, all in order.</summary>
public sealed class PublishAckTests
{
    [Fact]
    public void Nothing_is_acknowledged_before_it_is_durable()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        rig.Publish(2, 2);
        rig.Publish(2);
        Assert.Empty(rig.ProducerSink.Acks);
        Assert.Equal(2, rig.Log.CommitRequests);
        rig.Log.SyncTo(3);
        Assert.Equal([(1ul, 0L)], rig.ProducerSink.AckEntries);
        rig.Log.SyncTo(4);
        Assert.Equal([(1ul, 0L), (3ul, 2L)], rig.ProducerSink.AckEntries);
        rig.Log.Sync();
        Assert.Equal(6ul, rig.ProducerSink.Acks[^1].LastSequence);
        Assert.Equal(0, rig.Producer.UnacknowledgedBytes);
    }

    [Fact]
    public void In_a_burst_the_acknowledgements_of_many_topics_leave_with_one_send()
    {
        Rig[] rigs = [new Rig(DurabilityClass.Fsync), new Rig(DurabilityClass.Fsync)];
        var sink = new RecordingSink();
        var burst = new AckBurst();
        for (int round = 1; round <= 2; round++)
        {
            Producer[] producers = [.. rigs.Select(r => r.Topic.AttachProducer(Rig.ProducerId, 0, 1, sink))];
            for (int i = 0; i < rigs.Length; i++)
            {
                rigs[i].Topic.Publish(producers[i], Frames.Build(Rig.ProducerId, (ulong)round, 1));
            }

            int before = sink.Flushes;
            burst.Begin();
            rigs[0].Log.Sync();
            burst.Flush();
            Assert.Equal(before + 1, sink.Flushes);
            rigs[0].Log.Sync();
            rigs[1].Log.Sync();
            Assert.Equal(before + 1, sink.Flushes);
            burst.End();
            Assert.Equal((before + 2, round * 2), (sink.Flushes, sink.Acks.Length));
        }
    }

    [Fact]
    public void A_duplicate_waits_until_its_original_is_durable()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        rig.Publish(2, 3);
        var sink = new RecordingSink();
        Producer again = rig.Topic.AttachProducer(Rig.ProducerId, 0, 2, sink);
        rig.Topic.Publish(again, Frames.Run(Rig.ProducerId, 1, 2, 3));
        Assert.Empty(sink.Acks);
        rig.Log.SyncTo(4);
        Assert.DoesNotContain(sink.AckEntries, e => e.Sequence == 3);
        rig.Log.SyncTo(5);
        Assert.Equal([(1ul, 0L), (3ul, 2L)], sink.AckEntries);

        // The fenced channel hears nothing.
        Assert.Empty(rig.ProducerSink.Acks);
    }

    [Fact]
    public void A_duplicate_of_something_durable_is_acknowledged_without_another_commit()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        rig.Publish(2);
        rig.Log.Sync();
        rig.ProducerSink.Forget();
        rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, 1, 2));
        Assert.Equal([(1ul, 0L)], rig.ProducerSink.AckEntries);
        Assert.Equal(1, rig.Log.CommitRequests);
    }

    [Fact]
    public void A_recovered_frame_is_not_acknowledged_as_a_duplicate_before_it_is_durable()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        rig.Publish(2);
        ManualLog reopened = rig.Log.Reopen(2);
        var after = new Rig(DurabilityClass.Fsync, log: reopened);
        Assert.Equal(2ul, after.Producer.LastSequence);
        reopened.SyncTo(0);
        after.Topic.Publish(after.Producer, Frames.Build(Rig.ProducerId, 1, 2));
        Assert.Empty(after.ProducerSink.Acks);
        reopened.Sync();
        Assert.Equal([(1ul, 0L)], after.ProducerSink.AckEntries);
    }

    [Fact]
    public void Producers_are_grouped_and_each_sink_is_flushed_once()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        var sink = new RecordingSink();
        Producer other = rig.Topic.AttachProducer(0xB2, 0, 2, sink);
        rig.Publish(1, 1);
        rig.Topic.Publish(other, Frames.Run(0xB2, 1, 1));
        rig.Publish(1);
        rig.Log.Sync();
        Assert.Equal(2, rig.ProducerSink.Acks.Length);
        Assert.Equal(1, rig.ProducerSink.Flushes);
        Assert.Equal([(1ul, 2L)], sink.AckEntries);
        Assert.Equal(1, sink.Flushes);
    }

    [Fact]
    public void Many_frames_are_acknowledged_in_bounded_frames()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        rig.Publish([.. Enumerable.Repeat(1, 1300)]);
        rig.Log.Sync();
        Assert.Equal([512, 512, 276], rig.ProducerSink.Acks.Select(a => a.Entries.Length));
        Assert.Equal(Rig.Range(0, 1300), rig.ProducerSink.AckEntries.Select(e => e.Offset));
        Assert.Equal([512ul, 1024ul, 1300ul], rig.ProducerSink.Acks.Select(a => a.LastSequence));
    }

    [Fact]
    public void After_a_failure_nothing_more_is_acknowledged_and_producers_are_told()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        rig.Publish(1);
        rig.Log.Fail(new IOException("no more disk"));
        rig.Log.SyncTo(1);
        Assert.Empty(rig.ProducerSink.Acks);
        Assert.Equal(ErrorCode.LogFailed, Assert.Single(rig.ProducerSink.Errors).Code);
        Assert.Equal(ErrorCode.LogFailed, Assert.Single(rig.ProducerSink.Closed).Code);
        Assert.Equal(ErrorCode.LogFailed, rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, 2, 1)).Error);
        Assert.Equal(ErrorCode.LogFailed, rig.Topic.AttachProducer(0xB2, 0, 2, new RecordingSink()).Refusal);
        Assert.Equal("log_failed", rig.Topic.Describe().State);
    }

    [Fact]
    public void Draining_closes_a_producer_after_its_last_acknowledgement()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        rig.Publish(1);
        var idle = new RecordingSink();
        rig.Topic.AttachProducer(0xB2, 0, 2, idle);
        rig.Topic.StopProducers(ErrorCode.Draining, "The broker stops.");
        Assert.Equal(ErrorCode.Draining, Assert.Single(idle.Closed).Code);
        Assert.Empty(rig.ProducerSink.Closed);
        Assert.Equal(ErrorCode.Draining, rig.Topic.Publish(rig.Producer, Frames.Build(Rig.ProducerId, 2, 1)).Error);
        rig.Log.Sync();
        Assert.Equal([(1ul, 0L)], rig.ProducerSink.AckEntries);
        Assert.Equal(ErrorCode.Draining, Assert.Single(rig.ProducerSink.Closed).Code);
    }

    [Fact]
    public void A_producer_that_is_gone_does_not_hold_up_others()
    {
        var rig = new Rig(DurabilityClass.Fsync);
        rig.Publish(1);
        rig.Producer.Detach();
        rig.ProducerSink.IsGone = true;
        var sink = new RecordingSink();
        Producer other = rig.Topic.AttachProducer(0xB2, 0, 2, sink);
        rig.Topic.Publish(other, Frames.Build(0xB2, 1, 1));
        rig.Log.Sync();
        Assert.Equal([(1ul, 1L)], sink.AckEntries);
    }

    /// <summary>Publishers and a committer race: whoever comes last must send the acknowledgement.</summary>
    [Fact]
    public async Task No_acknowledgement_is_left_behind_when_publishers_race_the_committer()
    {
        const int Producers = 3, FramesEach = 3000;
        var rig = new Rig(DurabilityClass.Fsync);
        var sinks = new RecordingSink[Producers];
        bool stop = false;
        var committer = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                if (rig.Log.Durable < rig.Log.Committed)
                {
                    rig.Log.Sync();
                }
                else
                {
                    Thread.Yield();
                }
            }
        });
        committer.Start();
        Task[] publishers = [.. Enumerable.Range(0, Producers).Select(p => Task.Run(() =>
        {
            sinks[p] = new RecordingSink();
            ulong id = (ulong)(100 + p);
            Producer producer = rig.Topic.AttachProducer(id, 0, (uint)p, sinks[p]);
            for (int i = 0; i < FramesEach; i++)
            {
                Assert.Equal(ErrorCode.None, rig.Topic.Publish(producer, Frames.Build(id, (ulong)i + 1, 1)).Error);

                // One at a time now and then, so that the last frame is alone in the ring.
                if (i % 16 == 0)
                {
                    Rig.Until(() => producer.UnacknowledgedBytes == 0);
                }
            }

            Rig.Until(() => producer.UnacknowledgedBytes == 0);
        }))];
        try
        {
            await Task.WhenAll(publishers);
        }
        finally
        {
            Volatile.Write(ref stop, true);
            committer.Join();
        }

        foreach (RecordingSink sink in sinks)
        {
            Assert.Equal(Enumerable.Range(1, FramesEach).Select(s => (ulong)s), sink.AckEntries.Select(e => e.Sequence));
        }
    }
}
