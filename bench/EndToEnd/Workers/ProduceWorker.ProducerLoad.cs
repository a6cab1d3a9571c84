using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Workers;

internal sealed partial class ProduceWorker
{
    /// <summary>One producer. Loop and acknowledgements run on different threads; each counter has one writer.</summary>
    private sealed class ProducerLoad(ProduceWorker owner, WorkerJob job, int index) : IAsyncDisposable
    {
        private const int LongestBurst = 64, GateEvery = 16, LargestRing = 1 << 20;

        // Messages between two looks at the gate must be few beside what may be on the way.
        private readonly int _burst = job.MaxInFlight > 0 ? (int)Math.Clamp(job.MaxInFlight / LongestBurst, 1, LongestBurst) : LongestBurst;
        private readonly byte[][] _payloads = Payloads.Create(job);
        private readonly byte[][]? _keys = Payloads.Keys(job);

        // Per partition: messages given to it, and the intended send time by sequence, for the acknowledgement latency of paced runs. Sequences start at 1.
        private readonly long[] _sequences = new long[job.Partitions];
        private readonly long[][] _intended = new long[job.Partitions][];
        private Producer? _producer;
        private uint _draw = (uint)(job.FirstClient + index + 1) * 2_654_435_761;
        private uint _payloadTurn, _keyTurn;
        private long _posted;
        private long _acknowledged;

        public long Posted => Volatile.Read(ref _posted);
        public long Acknowledged => Volatile.Read(ref _acknowledged);

        /// <summary>Posted in earlier runs.</summary>
        public long PostedBefore { get; private set; }

        // The client puts messages without a key on the partition whose turn it is; nobody else learns which.
        private bool KnowsPartition => job.Partitions == 1 || _keys is not null;

        public async Task OpenAsync(DanubeClient client, string topic)
        {
            var defaults = new ProducerOptions { Topic = topic };
            var options = new ProducerOptions
            {
                Topic = topic,
                OnAcknowledged = OnAcknowledged,
                Compression = job.Compression,
                MaxBatchBytes = job.BatchBytes > 0 ? job.BatchBytes : defaults.MaxBatchBytes,
                WindowBytes = job.WindowBytes > 0 ? job.WindowBytes : defaults.WindowBytes,
            };
            _producer = await client.CreateProducerAsync(options);
        }

        public async Task LoopAsync()
        {
            PostedBefore = _posted;
            if (job.Role == WorkerRole.Send)
            {
                await SendLoopAsync();
            }
            else if (owner._rate > 0)
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
                if (owner._gate is not null && ++rounds % GateEvery == 0)
                {
                    while (owner._gate.Ahead > job.MaxInFlight && owner.IsRunning)
                    {
                        ShortSleep.For(100_000);
                    }
                }

                byte[] payload = NextPayload();
                Stamp(payload, Stopwatch.GetTimestamp());
                for (int i = 0; i < _burst; i++)
                {
                    byte[]? key = NextKey();
                    _ = Count(key);
                    if (!TryPost(producer, payload, key))
                    {
                        await PostAsync(producer, payload, key);
                    }

                    if (i == 0)
                    {
                        Stamp(payload, 0);
                    }
                }

                Volatile.Write(ref _posted, _posted + _burst);
                owner._gate?.SetPosted(job.FirstClient + index, _posted);
            }
        }

        private async Task SendLoopAsync()
        {
            while (owner.IsRunning)
            {
                byte[] payload = NextPayload();
                byte[]? key = NextKey();
                _ = Count(key);
                long before = Stopwatch.GetTimestamp();
                Stamp(payload, before);
                await (key is null ? _producer!.SendAsync(payload) : _producer!.SendAsync(new OutgoingMessage { Payload = payload, Key = key }));
                owner.RecordLatency(before, Stopwatch.GetTimestamp(), 1);
                Volatile.Write(ref _posted, _posted + 1);
            }
        }

        // Open loop: every message has its time on the clock; being late does not move the ones behind it.
        private async Task PacedLoopAsync()
        {
            Producer producer = _producer!;
            MakeRings();
            double interval = Stopwatch.Frequency * job.Clients / owner._rate;

            // Several producers take turns instead of sending at the same moments.
            double start = owner._runStart + (interval * index / job.Clients);
            for (long n = 0; owner.IsRunning; n++)
            {
                long due = (long)(start + (n * interval));
                ShortSleep.Until(due);
                byte[] payload = NextPayload();
                byte[]? key = NextKey();
                Stamp(payload, due);
                Remember(key, due);
                if (job.RecordsDelay)
                {
                    owner.RecordDelay(due, Stopwatch.GetTimestamp());
                }

                if (!TryPost(producer, payload, key))
                {
                    await PostAsync(producer, payload, key);
                }

                Volatile.Write(ref _posted, _posted + 1);
            }
        }

        // As long as what the window can hold: an entry is read before it is written again.
        private void MakeRings()
        {
            long window = job.WindowBytes > 0 ? job.WindowBytes : ProtocolLimits.DefaultProducerWindow;
            long needed = (2 * window / job.SizeBytes) + 1024;
            for (int i = 0; i < _intended.Length && KnowsPartition; i++)
            {
                _intended[i] ??= new long[Math.Min(LargestRing, BitOperations.RoundUpToPowerOf2((ulong)needed))];
            }
        }

        // The partition a message goes to, as far as it is known, counted.
        private int Count(byte[]? key)
        {
            int partition = job.Partitions == 1 || key is null ? 0 : KeyHash.Partition(KeyHash.Compute(key), job.Partitions);
            _sequences[partition]++;
            return partition;
        }

        private void Remember(byte[]? key, long due)
        {
            int partition = Count(key);
            if (KnowsPartition)
            {
                long[] ring = _intended[partition];
                ring[_sequences[partition] & (ring.Length - 1)] = due;
            }
        }

        private byte[] NextPayload() => _payloads.Length == 1 ? _payloads[0] : _payloads[_payloadTurn++ % (uint)_payloads.Length];

        private byte[]? NextKey()
        {
            if (_keys is null)
            {
                return null;
            }

            if (job.RandomKeys)
            {
                _draw ^= _draw << 13;
                _draw ^= _draw >> 17;
                _draw ^= _draw << 5;
                return _keys[_draw % (uint)_keys.Length];
            }

            return _keys[_keyTurn++ % (uint)_keys.Length];
        }

        private static bool TryPost(Producer producer, byte[] payload, byte[]? key) =>
            key is null ? producer.TryPost(payload) : producer.TryPost(new OutgoingMessage { Payload = payload, Key = key });

        private static ValueTask PostAsync(Producer producer, byte[] payload, byte[]? key) =>
            key is null ? producer.PostAsync(payload) : producer.PostAsync(new OutgoingMessage { Payload = payload, Key = key });

        private static void Stamp(byte[] payload, long ticks) => BinaryPrimitives.WriteInt64LittleEndian(payload, ticks);

        private void OnAcknowledged(in BatchAck ack)
        {
            long now = Stopwatch.GetTimestamp();
            Interlocked.Add(ref _acknowledged, ack.Count);
            if (job.Role == WorkerRole.Send)
            {
                return;
            }

            if (owner._rate <= 0 || !KnowsPartition)
            {
                owner.RecordLatency(owner._rate <= 0 ? ack.SentTimestamp : ack.OpenedTimestamp, now, ack.Count);
                return;
            }

            owner.RecordLatencies(_intended[ack.Partition], (long)ack.FirstSequence, ack.Count, now);
        }
    }
}
