using System.Diagnostics;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>A stuck consumer costs the others nothing but bounded memory.</summary>
public class Promise5Tests
{
    private const string Topic = "/p5/t", Deaf = "deaf";
    private const int Count = 300_000, Size = 1024;
    private const long MaxGrowthBytes = 96L * 1024 * 1024;

    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);

    [Fact(Timeout = 900_000)]
    public async Task Promise5_AStuckConsumerCostsTheOthersNothingButBoundedMemory()
    {
        // Less than what is published, so that the bound is met; and none of the timers that would give the stuck one up in the end, whatever it holds.
        var environment = new Dictionary<string, string>
        {
            ["DANUBE__LIMITS__SEND_QUEUE_RUN_BYTES"] = "64MiB",
            ["DANUBE__TIMEOUTS__SEND_STALL_MS"] = "600000",
            ["DANUBE__TIMEOUTS__PING_AFTER_MS"] = "300000",
            ["DANUBE__TIMEOUTS__DEAD_AFTER_MS"] = "600000",
        };
        await using BrokerProcess broker = await BrokerProcess.StartAsync(new BrokerOptions { Environment = environment });
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        await client.CreateTopicAsync(new TopicSpec { Topic = Topic, Durability = "os" });
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        Consumer[] live = [await SubscribeAsync(client, "a"), await SubscribeAsync(client, "b"), await SubscribeAsync(client, "c")];
        await using Consumer idle = await SubscribeAsync(client, "idle");
        using RawConnection deaf = SubscribeAndNeverRead(broker);

        await PublishAndReceiveAsync(producer, live, 20_000);
        long before = ProcessMemory.PrivateBytes(broker.Pid);
        await PublishAndReceiveAsync(producer, live, Count);
        long growth = ProcessMemory.PrivateBytes(broker.Pid) - before;
        Assert.True(growth < MaxGrowthBytes, $"{(long)Count * Size / 1_000_000} MB went past a stuck consumer and the broker grew by {growth / 1_000_000} MB");

        // Nor does the one that grants credit and reads nothing pin the log: its connection was given up.
        Assert.True(await IsGivenUpAsync(client), "a consumer that read nothing was kept, with everything that was to go to it");

        // The idle one still has its place: nothing was lost for it.
        Message first = await idle.ReceiveAsync(new CancellationTokenSource(Guard).Token);
        Assert.Equal(0, first.Id.Offset);
        foreach (Consumer consumer in live)
        {
            await consumer.DisposeAsync();
        }
    }

    private static Task<Consumer> SubscribeAsync(DanubeClient client, string name) =>
        Task.Run(async () => await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = name, Start = "earliest" }));

    // All the credit there is, and nobody who reads the socket.
    private static RawConnection SubscribeAndNeverRead(BrokerProcess broker)
    {
        RawConnection connection = RawConnection.Open(broker.Native);
        connection.Socket.ReceiveBufferSize = 8192;
        SubscribeReply reply = connection.Request(
            Commands.Subscribe,
            new SubscribeRequest { Topic = Topic, Subscription = Deaf, ConsumerName = Deaf, Start = "earliest" },
            ControlJson.Default.SubscribeRequest, ControlJson.Default.SubscribeReply);
        byte[] credit = new byte[ProtocolLimits.HeaderSize];
        CreditFrame.Write(credit, reply.Channel, 1_000_000_000, 1_000_000_000_000, reply.SubscriptionEpoch, 0);
        connection.Send(credit);
        return connection;
    }

    private static async Task<bool> IsGivenUpAsync(DanubeClient client)
    {
        long started = Stopwatch.GetTimestamp();
        while ((await client.DescribeTopicAsync(Topic)).Subscriptions.Single(s => s.Name == Deaf).Consumers > 0)
        {
            if (Stopwatch.GetElapsedTime(started) > Guard)
            {
                return false;
            }

            await Task.Delay(100);
        }

        return true;
    }

    private static async Task PublishAndReceiveAsync(Producer producer, Consumer[] live, int count)
    {
        long started = Stopwatch.GetTimestamp();
        Task[] receiving = [.. live.Select(consumer => Task.Run(async () =>
        {
            using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(240));
            long last = -1;
            for (int i = 0; i < count; i++)
            {
                if (!consumer.TryReceive(out Message message))
                {
                    message = await consumer.ReceiveAsync(guard.Token);
                }

                Assert.True(last < 0 || message.Id.Offset == last + 1, $"offset {message.Id.Offset} behind {last} after {Stopwatch.GetElapsedTime(started)}");
                last = message.Id.Offset;
                consumer.Ack(message);
            }
        }))];
        byte[] payload = new byte[Size];
        for (int i = 0; i < count; i++)
        {
            if (!producer.TryPost(payload))
            {
                await producer.PostAsync(payload);
            }
        }

        await producer.FlushAsync();
        await Task.WhenAll(receiving);
    }
}
