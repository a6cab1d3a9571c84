using System.Diagnostics;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Runs;

/// <summary>How the fourth consumer behaves in a round.</summary>
public enum FourthConsumer
{
    /// <summary>As the others do.</summary>
    Healthy,

    /// <summary>Its application takes no messages; its client library goes on answering the broker.</summary>
    TakesNothing,

    /// <summary>Its process is stopped (SIGSTOP): the kernel's socket buffers fill up.</summary>
    Stopped,
}

/// <summary>One topic with a paced producer and four subscriptions: three consumers in one process, the fourth in a process of its own.</summary>
public sealed class StuckConsumerSession : IAsyncDisposable
{
    private const string Topic = "/bench/fanout";

    private readonly RunFolder _folder;
    private readonly BrokerProcess _broker;
    private readonly WorkerProcess _producer;
    private readonly WorkerProcess _others;
    private readonly WorkerProcess _fourth;

    private StuckConsumerSession(RunFolder folder, BrokerProcess broker, WorkerProcess producer, WorkerProcess others, WorkerProcess fourth) =>
        (_folder, _broker, _producer, _others, _fourth) = (folder, broker, producer, others, fourth);

    public static async Task<StuckConsumerSession> StartAsync(LoadSetup setup)
    {
        var folder = RunFolder.Create(setup.DataParent);
        BrokerProcess broker = await folder.StartBrokerAsync(setup.Environment);
        await using (DanubeClient client = await DanubeClient.ConnectAsync(broker.Url))
        {
            await client.CreateTopicAsync(new TopicSpec { Topic = Topic, Durability = setup.Durability, RetentionBytes = 4L << 30 });
        }

        var consumers = new WorkerJob { Role = WorkerRole.Consume, Url = broker.Url, Topics = [Topic], SizeBytes = setup.SizeBytes, FansOut = true };
        WorkerProcess others = await WorkerProcess.StartAsync(consumers with { Clients = 3, Subscription = "other" }, setup.Environment);
        WorkerProcess fourth = await WorkerProcess.StartAsync(consumers with { Clients = 1, Subscription = "fourth" }, setup.Environment);
        WorkerProcess producer = await WorkerProcess.StartAsync(
            new WorkerJob { Role = WorkerRole.Post, Url = broker.Url, Topics = [Topic], SizeBytes = setup.SizeBytes, Rate = setup.Rate }, setup.Environment);
        await others.RunAsync();
        await fourth.RunAsync();
        await producer.RunAsync();
        return new StuckConsumerSession(folder, broker, producer, others, fourth);
    }

    /// <summary>End-to-end latency of the three others over one window, from the intended send time; ns.</summary>
    public async Task<LatencyHistogram> MeasureAsync(FourthConsumer behaviour, TimeSpan duration)
    {
        await CatchUpAsync();
        if (behaviour == FourthConsumer.TakesNothing)
        {
            await _fourth.PauseAsync();
        }
        else if (behaviour == FourthConsumer.Stopped)
        {
            Signal("STOP");
        }

        // Its credit, or its socket, is used up before the window begins.
        await Task.Delay(1000);
        await _others.ClearAsync();
        await Task.Delay(duration);
        WorkerSnapshot snapshot = await _others.SnapAsync();
        if (behaviour == FourthConsumer.Stopped)
        {
            Signal("CONT");
        }

        await _fourth.RunAsync();
        return LatencyHistogram.FromSparse(snapshot.Latency);
    }

    public async ValueTask DisposeAsync()
    {
        await _producer.DisposeAsync();
        await _others.DisposeAsync();
        await _fourth.DisposeAsync();
        await _broker.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>The fourth has everything, and the others have it in order.</summary>
    private async Task CatchUpAsync()
    {
        long started = Environment.TickCount64;
        while (true)
        {
            long sent = (await _producer.SnapAsync()).Messages;
            WorkerSnapshot others = await _others.SnapAsync(), fourth = await _fourth.SnapAsync();
            if (others.OutOfOrder + fourth.OutOfOrder > 0)
            {
                throw new InvalidOperationException($"{others.OutOfOrder + fourth.OutOfOrder:N0} messages came out of order.");
            }

            if (fourth.Messages >= sent - 5000 && others.Messages >= 3 * (sent - 5000))
            {
                await Task.Delay(500);
                return;
            }

            if (Environment.TickCount64 - started > 60_000)
            {
                throw new InvalidOperationException($"{sent:N0} messages were sent, the others received {others.Messages:N0} in all, the fourth {fourth.Messages:N0}.");
            }

            await Task.Delay(50);
        }
    }

    private void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", _fourth.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
