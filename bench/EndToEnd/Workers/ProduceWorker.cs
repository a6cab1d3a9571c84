using System.Buffers.Binary;
using System.Diagnostics;
using Danube.Fast.Client;

namespace Danube.Fast.Bench.Workers;

/// <summary>Producers of one worker process. The first 8 bytes of a payload are its intended send time in ticks, 0 = not measured.</summary>
internal sealed class ProduceWorker(WorkerJob job) : LoadWorker
{
    private readonly List<ProducerLoad> _loads = [];
    private readonly List<Task> _loops = [];
    private readonly FlowGate? _gate = FlowGate.Open(job.FlowFile);
    private DanubeClient? _client;

    public override async Task OpenAsync()
    {
        _client = await DanubeClient.ConnectAsync(job.Url);
        for (int i = 0; i < job.Clients; i++)
        {
            var load = new ProducerLoad(this, job);
            await load.OpenAsync(_client, job.Topics[i % job.Topics.Length]);
            _loads.Add(load);
        }
    }

    public override void Run()
    {
        base.Run();
        _loops.RemoveAll(t => t.IsCompleted);
        foreach (ProducerLoad load in _loads)
        {
            _loops.Add(Task.Factory.StartNew(() => GuardAsync(load.LoopAsync), TaskCreationOptions.LongRunning).Unwrap());
        }
    }

    public override async Task PauseAsync()
    {
        await base.PauseAsync();
        await Task.WhenAll(_loops);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Task.WhenAll(_loops);
        foreach (ProducerLoad load in _loads)
        {
            await load.DisposeAsync();
        }

        if (_client is not null)
        {
            await _client.DisposeAsync();
        }

        _gate?.Dispose();
    }

    protected override (long Messages, long Acknowledged, long OutOfOrder) Counts() => (_loads.Sum(l => l.Posted), _loads.Sum(l => l.Acknowledged), 0);

    private bool IsAhead
    {
        get
        {
            if (_gate is null)
            {
                return false;
            }

            long posted = 0;
            foreach (ProducerLoad load in _loads)
            {
                posted += load.Posted;
            }

            return posted - _gate.Received > job.MaxInFlight;
        }
    }

    /// <summary>One producer. Loop and acknowledgements run on different threads; each counter has one writer.</summary>
    private sealed class ProducerLoad(ProduceWorker owner, WorkerJob job) : IAsyncDisposable
    {
        private const int StampEvery = 64, GateEvery = 16, RingSize = 1 << 20;

        // Intended send time by sequence, for the acknowledgement latency of paced runs. Sequences start at 1.
        private readonly long[] _intended = new long[job.Rate > 0 ? RingSize : 1];
        private readonly byte[] _payload = new byte[job.SizeBytes];
        private Producer? _producer;
        private long _posted;
        private long _acknowledged;

        public long Posted => Volatile.Read(ref _posted);
        public long Acknowledged => Volatile.Read(ref _acknowledged);

        public async Task OpenAsync(DanubeClient client, string topic)
        {
            new Random(7).NextBytes(_payload);
            var defaults = new ProducerOptions { Topic = topic };
            var options = new ProducerOptions
            {
                Topic = topic,
                OnAcknowledged = OnAcknowledged,
                MaxBatchBytes = job.BatchBytes > 0 ? job.BatchBytes : defaults.MaxBatchBytes,
                WindowBytes = job.WindowBytes > 0 ? job.WindowBytes : defaults.WindowBytes,
            };
            _producer = await client.CreateProducerAsync(options);
        }

        public async Task LoopAsync()
        {
            if (job.Role == WorkerRole.Send)
            {
                await SendLoopAsync();
            }
            else if (job.Rate > 0)
            {
                await PacedLoopAsync();
            }
            else
            {
                await PostLoopAsync();
            }

            await _producer!.FlushAsync();
        }

        public ValueTask DisposeAsync() => _producer is null ? ValueTask.CompletedTask : _producer.DisposeAsync();

        private async Task PostLoopAsync()
        {
            Producer producer = _producer!;
            int rounds = 0;
            while (owner.IsRunning)
            {
                if (++rounds % GateEvery == 0)
                {
                    while (owner.IsAhead && owner.IsRunning)
                    {
                        ShortSleep.For(100_000);
                    }
                }

                Stamp(Stopwatch.GetTimestamp());
                for (int i = 0; i < StampEvery; i++)
                {
                    if (!producer.TryPost(_payload))
                    {
                        await producer.PostAsync(_payload);
                    }

                    if (i == 0)
                    {
                        Stamp(0);
                    }
                }

                Volatile.Write(ref _posted, _posted + StampEvery);
            }
        }

        private async Task SendLoopAsync()
        {
            while (owner.IsRunning)
            {
                long before = Stopwatch.GetTimestamp();
                Stamp(before);
                await _producer!.SendAsync(_payload);
                owner.RecordLatency(before, Stopwatch.GetTimestamp(), 1);
                Volatile.Write(ref _posted, _posted + 1);
            }
        }

        // Open loop: every message has its time on the clock; being late does not move the ones behind it.
        private async Task PacedLoopAsync()
        {
            Producer producer = _producer!;
            double interval = Stopwatch.Frequency * job.Clients / job.Rate;
            long start = Stopwatch.GetTimestamp();
            for (long n = 0; owner.IsRunning; n++)
            {
                long due = start + (long)(n * interval);
                ShortSleep.Until(due);
                Stamp(due);
                _intended[(_posted + 1) & (RingSize - 1)] = due;
                if (!producer.TryPost(_payload))
                {
                    await producer.PostAsync(_payload);
                }

                Volatile.Write(ref _posted, _posted + 1);
            }
        }

        private void Stamp(long ticks) => BinaryPrimitives.WriteInt64LittleEndian(_payload, ticks);

        private void OnAcknowledged(in BatchAck ack)
        {
            long now = Stopwatch.GetTimestamp();
            Volatile.Write(ref _acknowledged, _acknowledged + ack.Count);
            if (job.Role == WorkerRole.Send)
            {
                return;
            }

            if (job.Rate <= 0)
            {
                owner.RecordLatency(ack.SentTimestamp, now, ack.Count);
                return;
            }

            for (int i = 0; i < ack.Count; i++)
            {
                owner.RecordLatency(_intended[((long)ack.FirstSequence + i) & (RingSize - 1)], now, 1);
            }
        }
    }
}
