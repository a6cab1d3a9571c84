using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>Policies over the death of a real broker process.</summary>
public class PolicyTests
{
    private const string Topic = "/policy/t";

    [Fact(Timeout = 300_000)]
    public async Task AQuotaSetAtRunTimeHoldsAfterAKillAndPublishingGoesOnWhenTheBacklogIsGone()
    {
        using var data = new DataFolder();
        var options = new BrokerOptions { DataDirectory = data.Path, Port = BrokerOptions.FreePort() };
        BrokerProcess broker = await BrokerProcess.StartAsync(options);
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(240));
        await client.CreateTopicAsync(new TopicSpec { Topic = Topic });
        await using (await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "slow", Start = "earliest" }, guard.Token))
        {
            // It exists from now on and takes nothing.
        }

        await client.SetNamespacePolicyAsync(new NamespaceSpec { Namespace = "policy", MaxProducers = 1 }, guard.Token);
        await client.SetTopicPolicyAsync(new TopicSpec { Topic = Topic, BacklogQuotaBytes = 20_000 }, guard.Token);
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, Name = "p", SendTimeout = TimeSpan.FromSeconds(3) }, guard.Token);
        DanubeException second = await Assert.ThrowsAsync<DanubeException>(() => client.CreateProducerAsync(new ProducerOptions { Topic = Topic, Name = "q" }, guard.Token));
        Assert.Equal((ErrorCode.LimitExceeded, true), (second.Code, second.Retryable));
        long stored = await SendUntilRefusedAsync(producer, 0, long.MaxValue, guard.Token);
        Assert.True(stored > 0);

        await broker.KillAsync();
        await broker.DisposeAsync();
        broker = await BrokerProcess.StartAsync(options);
        TopicInfo info = await client.DescribeTopicAsync(Topic, guard.Token);
        Assert.Equal(20_000, info.Policy!.BacklogQuotaBytes);
        Assert.Equal(1, (await client.DescribeNamespaceAsync("policy", guard.Token)).MaxProducers);
        stored = await SendUntilRefusedAsync(producer, stored, long.MaxValue, guard.Token);

        // So small a quota is met again by the first messages as soon as it is measured: a backlog is estimated from marks in the log that are further apart.
        long target = stored + 50;
        do
        {
            await client.PurgeAsync(Topic, "slow", guard.Token);
            stored = await SendUntilRefusedAsync(producer, stored, target, guard.Token);
        }
        while (stored < target);

        List<long> numbers = await TopicReading.NumbersAsync(client, Topic);
        await broker.DisposeAsync();
        Assert.Equal(Enumerable.Range(0, (int)stored).Select(i => (long)i), numbers);
    }

    // The quota is measured about once a second: what comes before that is stored.
    private static async Task<long> SendUntilRefusedAsync(Producer producer, long next, long end, CancellationToken cancellation)
    {
        while (next < end && await TrySendAsync(producer, next, cancellation))
        {
            next++;
        }

        return next;
    }

    private static async Task<bool> TrySendAsync(Producer producer, long number, CancellationToken cancellation)
    {
        try
        {
            await producer.SendAsync(MarkedMessage.Create(0, number), cancellation);
            return true;
        }
        catch (DanubeException e) when (e.Code == ErrorCode.BacklogQuotaExceeded)
        {
            Assert.True(e.Retryable);
            return false;
        }
    }
}
