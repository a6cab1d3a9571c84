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
    private DanubeClient? _client;

    public override async Task OpenAsync()
    {
        _client = await DanubeClient.ConnectAsync(job.Url);
        for (int i = 0; i < job.Clients; i++)
        {
            var load = new ConsumerLoad(this, job, i);
            await load.OpenAsync(_client, job.Topics[i % job.Topics.Length]);
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

        if (_client is not null)
        {
            await _client.DisposeAsync();
        }

        _gate?.Dispose();
        _stop.Dispose();
    }

    protected override (long Messages, long Acknowledged, long OutOfOrder) Counts() => (_loads.Sum(l => l.Received), 0, _loads.Sum(l => l.OutOfOrder));

    private sealed class ConsumerLoad(ConsumeWorker owner, WorkerJob job, int number) : IAsyncDisposable
    {
        private Consumer? _consumer;
        private long _received;
        private long _outOfOrder;
        private long _expected = -1;

        public long Received => Volatile.Read(ref _received);
        public long OutOfOrder => Volatile.Read(ref _outOfOrder);

        public async Task OpenAsync(DanubeClient client, string topic) => _consumer = await client.SubscribeAsync(new ConsumerOptions
        {
            Topic = topic,
            Subscription = job.FansOut ? $"{job.Subscription}-{number}" : job.Subscription,
            Name = "bench-" + number,
            Type = job.Shared ? SubscriptionType.Shared : SubscriptionType.Exclusive,
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

        private void Take(Consumer consumer, in Message message)
        {
            long intended = BinaryPrimitives.ReadInt64LittleEndian(message.Payload.Span);
            if (intended != 0)
            {
                owner.RecordLatency(intended, Stopwatch.GetTimestamp(), 1);
            }

            long offset = message.Id.Offset;
            if (!job.Shared)
            {
                if (_expected >= 0 && offset != _expected)
                {
                    Volatile.Write(ref _outOfOrder, _outOfOrder + 1);
                }

                _expected = offset + 1;
            }

            consumer.Ack(message);
            Volatile.Write(ref _received, _received + 1);
            owner._gate?.SetReceived(number, _received);
        }
    }
}
