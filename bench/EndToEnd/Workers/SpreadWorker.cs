using System.Buffers.Binary;
using System.Diagnostics;
using Danube.Fast.Client;

namespace Danube.Fast.Bench.Workers;

/// <summary>
/// One producer for each of very many topics, all driven by one thread over a few connections, so that the broker is the limit and not its clients. Message n
/// of a run goes to topic n / burst modulo the topics; a paced one is due at a time that follows from n alone, so no list of times is needed.
/// </summary>
internal sealed class SpreadWorker(WorkerJob job) : LoadWorker
{
    // Below the 4,096 channels that a connection may have.
    private const int TopicsPerConnection = 2500, LeastConnections = 2, OpeningAtOnce = 64;
    private const long PauseNanoseconds = 100_000;

    private readonly List<DanubeClient> _clients = [];
    private readonly SpreadProducer[] _producers = new SpreadProducer[job.TopicCount];
    private readonly byte[] _payload = new byte[job.SizeBytes];
    private readonly int _burst = Math.Max(1, job.Burst);
    private double _rate = job.Rate;
    private Task _loop = Task.CompletedTask;
    private long _posted;
    private long _acknowledged;
    private long _runStart;
    private double _interval;
    private long _dueBefore;

    public override async Task OpenAsync()
    {
        new Random(7).NextBytes(_payload);
        int connections = Math.Max(LeastConnections, (job.TopicCount + TopicsPerConnection - 1) / TopicsPerConnection);
        for (int i = 0; i < connections; i++)
        {
            _clients.Add(await DanubeClient.ConnectAsync(job.Url));
        }

        await Parallel.ForAsync(0, job.TopicCount, new ParallelOptions { MaxDegreeOfParallelism = OpeningAtOnce }, async (i, _) =>
        {
            var producer = new SpreadProducer(this, i);
            await producer.OpenAsync(_clients[i % _clients.Count]);
            _producers[i] = producer;
        });
    }

    public override void SetRate(double perSecond) => _rate = perSecond;

    public override void Run()
    {
        base.Run();
        foreach (SpreadProducer producer in _producers)
        {
            producer.BeginRun();
        }

        _interval = _rate > 0 ? Stopwatch.Frequency / _rate : 0;
        _dueBefore = _posted;
        Volatile.Write(ref _runStart, Stopwatch.GetTimestamp());
        _loop = Task.Factory.StartNew(() => GuardAsync(LoopAsync), TaskCreationOptions.LongRunning).Unwrap();
    }

    public override async Task PauseAsync()
    {
        await base.PauseAsync();
        await _loop;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _loop;
        await Task.WhenAll(_clients.Select(c => c.DisposeAsync().AsTask()));
    }

    protected override (long Messages, long Acknowledged, long OutOfOrder) Counts() => (Volatile.Read(ref _posted), Interlocked.Read(ref _acknowledged), 0);

    protected override long DueBy(long ticks) => _interval > 0 ? _dueBefore + (long)((ticks - Volatile.Read(ref _runStart)) / _interval) : 0;

    private long DueTicks(long number) => _runStart + (long)(number * _interval);

    private async Task LoopAsync()
    {
        long first = _posted;
        for (long n = 0; IsRunning && (job.TotalMessages == 0 || _posted < job.TotalMessages); n++)
        {
            while (_posted - Interlocked.Read(ref _acknowledged) >= job.MaxInFlight && IsRunning)
            {
                ShortSleep.For(PauseNanoseconds);
            }

            if (_interval > 0)
            {
                ShortSleep.Until(DueTicks(n));
            }

            Producer producer = _producers[n / _burst % _producers.Length].Producer;
            BinaryPrimitives.WriteInt64LittleEndian(_payload, n);
            if (!producer.TryPost(_payload))
            {
                await producer.PostAsync(_payload);
            }

            Volatile.Write(ref _posted, first + n + 1);
        }

        foreach (SpreadProducer producer in _producers)
        {
            await producer.Producer.FlushAsync();
        }
    }

    /// <summary>The producer of one topic. Acknowledgements come on the receive loop of its connection.</summary>
    private sealed class SpreadProducer(SpreadWorker owner, int index)
    {
        private long _acknowledged;
        private ulong _runBase;
        private Producer? _producer;

        public Producer Producer => _producer!;

        public async Task OpenAsync(DanubeClient client) => _producer = await client.CreateProducerAsync(new ProducerOptions
        {
            Topic = owner.Job.TopicPrefix + index.ToString(System.Globalization.CultureInfo.InvariantCulture),
            OnAcknowledged = OnAcknowledged,
        });

        /// <summary>Nothing is on the way: the last run was flushed.</summary>
        public void BeginRun() => _runBase = (ulong)_acknowledged;

        private void OnAcknowledged(in BatchAck ack)
        {
            long now = Stopwatch.GetTimestamp();
            Volatile.Write(ref _acknowledged, _acknowledged + ack.Count);
            if (owner._interval <= 0)
            {
                owner.RecordLatency(ack.SentTimestamp, now, ack.Count);
            }
            else
            {
                for (uint i = 0; i < ack.Count; i++)
                {
                    owner.RecordLatency(owner.DueTicks(NumberOf((long)(ack.FirstSequence - _runBase) - 1 + i)), now, 1);
                }
            }

            Interlocked.Add(ref owner._acknowledged, ack.Count);
        }

        // The k-th message of this topic in the present run is number n of the whole run.
        private long NumberOf(long k) => (((k / owner._burst * owner._producers.Length) + index) * owner._burst) + (k % owner._burst);
    }

    private WorkerJob Job => job;
}
