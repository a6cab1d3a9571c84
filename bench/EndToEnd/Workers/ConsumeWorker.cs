using System.Buffers.Binary;
using System.Diagnostics;
using Danube.Fast.Client;

namespace Danube.Fast.Bench.Workers;

/// <summary>Consumers of one worker process: one call per message, every message acknowledged.</summary>
internal sealed class ConsumeWorker(WorkerJob job) : LoadWorker
{
    private readonly List<ConsumerLoad> _loads = [];
    private readonly List<Task> _loops = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly FlowGate? _gate = FlowGate.Open(job.FlowFile);
    private readonly List<DanubeClient> _clients = [];

    public override async Task OpenAsync()
    {
        for (int i = 0; i < Math.Max(1, job.Connections); i++)
        {
            _clients.Add(await DanubeClient.ConnectAsync(job.Url));
        }

        for (int i = 0; i < job.Clients; i++)
        {
            var load = new ConsumerLoad(this, job, job.FirstClient + i);
            await load.OpenAsync(_clients[i % _clients.Count]);
            _loads.Add(load);
            _loops.Add(Task.Run(() => GuardAsync(() => load.LoopAsync(_stop.Token))));
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        foreach (ConsumerLoad load in _loads)
        {
            await load.DisposeAsync();
        }

        await Task.WhenAll(_clients.Select(c => c.DisposeAsync().AsTask()));
        _gate?.Dispose();
        _stop.Dispose();
    }

    protected override (long Messages, long Acknowledged, long OutOfOrder) Counts() => (_loads.Sum(l => l.Received), 0, _loads.Sum(l => l.OutOfOrder));

    private sealed class ConsumerLoad(ConsumeWorker owner, WorkerJob job, int number) : IAsyncDisposable
    {
        private readonly SubscriptionType _type = job.Type ?? (job.Shared ? SubscriptionType.Shared : SubscriptionType.Exclusive);

        // Per partition: the next offset, 0 = none seen yet.
        private readonly long[] _expected = new long[job.Partitions];
        private Consumer? _consumer;
        private long _received;
        private long _outOfOrder;

        public long Received => Volatile.Read(ref _received);
        public long OutOfOrder => Volatile.Read(ref _outOfOrder);

        public async Task OpenAsync(DanubeClient client) => _consumer = await client.SubscribeAsync(new ConsumerOptions
        {
            Topic = job.Topics[number % job.Topics.Length],
            Subscription = SubscriptionName(),
            Name = "bench-" + number,
            Type = _type,
            Start = "earliest",
        });

        public async Task LoopAsync(CancellationToken cancellation)
        {
            Consumer consumer = _consumer!;
            while (!cancellation.IsCancellationRequested)
            {
                if (!owner.IsRunning)
                {
                    await Task.Delay(5, cancellation);
                    continue;
                }

                Take(consumer, await consumer.ReceiveAsync(cancellation));
                while (owner.IsRunning && consumer.TryReceive(out Message message))
                {
                    Take(consumer, message);
                }
            }
        }

        public ValueTask DisposeAsync() => _consumer is null ? ValueTask.CompletedTask : _consumer.DisposeAsync();

        private string SubscriptionName()
        {
            if (job.FansOut)
            {
                return $"{job.Subscription}-{number}";
            }

            return job.Subscriptions == 1 ? job.Subscription : $"{job.Subscription}-{number / job.Topics.Length % job.Subscriptions}";
        }

        private void Take(Consumer consumer, in Message message)
        {
            long intended = BinaryPrimitives.ReadInt64LittleEndian(message.Payload.Span);
            if (intended != 0)
            {
                owner.RecordLatency(intended, Stopwatch.GetTimestamp(), 1);
            }

            MessageId id = message.Id;
            if (_type == SubscriptionType.Exclusive)
            {
                ref long expected = ref _expected[id.Partition];
                if (expected > 0 && id.Offset != expected)
                {
                    Volatile.Write(ref _outOfOrder, _outOfOrder + 1);
                }

                expected = id.Offset + 1;
            }

            consumer.Ack(message);
            Volatile.Write(ref _received, _received + 1);
            owner._gate?.SetReceived(number, _received);
        }
    }
}
