using System.Diagnostics;
using Danube.Fast.Cli.Terminal;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Tests;

/// <summary>A broker that refuses messages for a reason that may pass: the person at the terminal is told before the time is over.</summary>
public sealed class RefusedProduceTests(Broker broker) : IClassFixture<Broker>
{
    [Fact(Timeout = 300_000)]
    public async Task Produce_says_why_it_waits_and_goes_on_when_it_may()
    {
        const string Topic = "/t/over-quota";
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        await client.CreateTopicAsync(new TopicSpec { Topic = Topic, Durability = "os", BacklogQuotaBytes = 1000 });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
        var refused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (Client.Producer filling = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, OnRefused = _ => refused.TrySetResult() }))
        {
            await filling.SendAsync(new byte[5000]);
            while (!refused.Task.IsCompleted)
            {
                await Task.WhenAny(filling.SendAsync(new byte[1]).AsTask(), refused.Task);
                await Task.Delay(50);
            }
        }

        using Process running = broker.StartCli($"produce --topic {Topic} -m hello");
        try
        {
            string? said = await CliResult.NextAsync(running.StandardError);
            Assert.StartsWith("danube-cli: the broker has refused for ", said, StringComparison.Ordinal);
            Assert.Contains("backlog_quota_exceeded", said, StringComparison.Ordinal);
            using var hang = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            Task settling = SettleAsync(consumer, hang.Token);
            await running.WaitForExitAsync(hang.Token);
            Assert.Equal(CliCommandLine.Success, running.ExitCode);
            await hang.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => settling);
        }
        finally
        {
            running.Kill();
            await running.WaitForExitAsync();
        }
    }

    [Fact]
    public void The_notice_comes_after_a_moment_then_now_and_then_and_anew_behind_an_acknowledgement()
    {
        var time = new HandClock();
        var said = new StringWriter();
        long acknowledged = 0;
        var notice = new WaitNotice(said, () => acknowledged, time);
        var refusal = new DanubeException(ErrorCode.DiskFull, "disk_full: no room");
        int[] lines = [.. new[] { 0, 500, 600, 2000, 7000, 3000, 100 }.Select(Refuse)];
        Assert.Equal([0, 0, 1, 1, 1, 2, 2], lines);
        acknowledged = 5;
        Assert.Equal([2, 3], new[] { Refuse(0), Refuse(1000) });

        int Refuse(int afterMs)
        {
            time.Now += afterMs;
            notice.OnRefused(refusal);
            return said.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
        }
    }

    [Fact]
    public void A_broker_that_refuses_every_few_seconds_is_not_said_to_be_silent()
    {
        var time = new HandClock();
        var said = new StringWriter();
        var notice = new WaitNotice(said, () => 0, time);
        var refusal = new DanubeException(ErrorCode.DiskLow, "disk_low: no room");
        for (int second = 0; second < 40; second++)
        {
            time.Now += 1000;
            notice.OnTick("the owner");
            if (second % 8 == 0)
            {
                notice.OnRefused(refusal);
            }
        }

        Assert.DoesNotContain("no answer", said.ToString(), StringComparison.Ordinal);
        Assert.Equal(4, said.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void Silence_is_said_too_and_not_while_nothing_is_waited_for_or_a_refusal_was_just_told()
    {
        var time = new HandClock();
        var said = new StringWriter();
        long acknowledged = 0;
        var notice = new WaitNotice(said, () => acknowledged, time);
        Assert.Equal([0, 0, 0, 1, 1, 1, 2], new[] { 0, 1000, 3900, 100, 5000, 4999, 1 }.Select(ms => Look(ms, "the owner")));
        Assert.Contains("no answer for 5 s; waiting for the owner", said.ToString(), StringComparison.Ordinal);

        // Nothing on its way, and then something new: its time begins with it.
        Assert.Equal([2, 2, 2, 3], [Look(60_000, null), Look(60_000, "the owner"), Look(4999, "the owner"), Look(1, "the owner")]);

        // What moves is not waited for; a refusal that was told counts as said.
        acknowledged = 7;
        Assert.Equal([3, 3], [Look(5000, "the owner"), Look(1000, "the owner")]);
        notice.OnRefused(new DanubeException(ErrorCode.OwnerUnproven, "owner_unproven: no proof"));
        Assert.Equal([4, 5], [Look(9999, "the owner"), Look(1, "the owner")]);

        int Look(int afterMs, string? waitsFor)
        {
            time.Now += afterMs;
            notice.OnTick(waitsFor);
            return said.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
        }
    }

    private static async Task SettleAsync(Consumer consumer, CancellationToken cancellationToken)
    {
        while (true)
        {
            await consumer.AckAsync((await consumer.ReceiveAsync(cancellationToken)).Id);
        }
    }

    private sealed class HandClock : TimeProvider
    {
        public long Now { get; set; } = 1;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => Now;
    }
}
