using System.Buffers.Binary;
using System.Diagnostics;
using Danube.Fast.Bench.Peers.Wire;
using Danube.Fast.Bench.Workers;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>
/// One producer of a peer: a sending thread, and a reading thread for the acknowledgements (one message at a time: one thread for both). The first 8 bytes of a payload
/// are its intended send time in ticks, 0 = not measured, the next 8 its number.
/// </summary>
internal sealed class PeerProduceWorker(WorkerJob job, PeerTarget target) : LoadWorker
{
    private const int StampEvery = 64;
    private const long PauseNanoseconds = 50_000;
    private static readonly TimeSpan LastAcknowledgement = TimeSpan.FromSeconds(60);

    private readonly FlowGate? _gate = FlowGate.Open(job.FlowFile);
    private readonly byte[] _payload = new byte[job.SizeBytes];
    private readonly WireBuffer _output = new();
    private IPeerPublisher? _publisher;
    private Task _sending = Task.CompletedTask;
    private Task _reading = Task.CompletedTask;
    private long _posted;
    private long _acknowledged;
    private int _turn;

    public override Task OpenAsync()
    {
        new Random(7).NextBytes(_payload);
        _publisher = PeerClients.OpenPublisher(target);
        if (job.Role != WorkerRole.Send)
        {
            _reading = OnThread(ReadLoop);
        }

        return Task.CompletedTask;
    }

    public override void Run()
    {
        base.Run();
        _publisher!.Begin();
        _sending = OnThread(job.Role == WorkerRole.Send ? SendLoop : job.Rate > 0 ? PacedLoop : PostLoop);
    }

    /// <summary>Completes when everything was acknowledged.</summary>
    public override async Task PauseAsync()
    {
        await base.PauseAsync();
        await _sending;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _publisher?.Dispose();
        await Task.WhenAll(_sending, _reading);
        _gate?.Dispose();
    }

    protected override (long Messages, long Acknowledged, long OutOfOrder) Counts() => (Volatile.Read(ref _posted), Volatile.Read(ref _acknowledged), 0);

    private long OnTheWay => _posted - Volatile.Read(ref _acknowledged);

    private bool IsAhead => _gate is not null && _posted - _gate.Received > job.MaxInFlight;

    private Task OnThread(Action loop) => Task.Factory.StartNew(
        () => GuardAsync(() =>
        {
            loop();
            return Task.CompletedTask;
        }),
        TaskCreationOptions.LongRunning).Unwrap();

    private void ReadLoop()
    {
        while (!IsStopped)
        {
            Volatile.Write(ref _acknowledged, _publisher!.ReadAcknowledged());
        }
    }

    // Whole batches, so that a nearly full window does not turn into single messages. Several streams take turns, a batch each.
    private void PostLoop()
    {
        int batch = Math.Min(target.Batch, target.Window);
        while (IsRunning)
        {
            if (OnTheWay + batch > target.Window || IsAhead)
            {
                ShortSleep.For(PauseNanoseconds);
                continue;
            }

            _publisher!.Select(_turn);
            _turn = (_turn + 1) % target.Streams;
            long now = Stopwatch.GetTimestamp();
            for (int i = 0; i < batch; i++)
            {
                Add(i % StampEvery == 0 ? now : 0, _posted + i);
            }

            Leave(batch);
        }

        Flush();
    }

    // Open loop: everything that is due leaves with one write; being late does not move what comes behind.
    private void PacedLoop()
    {
        double interval = Stopwatch.Frequency / job.Rate;
        long start = Stopwatch.GetTimestamp();
        long sent = 0;
        while (IsRunning)
        {
            ShortSleep.Until(start + (long)(sent * interval));
            long due = Math.Min(sent + target.Batch, (long)((Stopwatch.GetTimestamp() - start) / interval) + 1);
            int count = (int)(due - sent);
            for (int i = 0; i < count; i++)
            {
                Add(start + (long)((sent + i) * interval), _posted + i);
            }

            Leave(count);
            sent = due;
        }

        Flush();
    }

    private void SendLoop()
    {
        while (IsRunning)
        {
            long before = Stopwatch.GetTimestamp();
            Add(before, _posted);
            Leave(1);
            while (_acknowledged < _posted)
            {
                Volatile.Write(ref _acknowledged, _publisher!.ReadAcknowledged());
            }

            RecordLatency(before, Stopwatch.GetTimestamp(), 1);
        }
    }

    private void Add(long ticks, long number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_payload, ticks);
        BinaryPrimitives.WriteInt64LittleEndian(_payload.AsSpan(8), number);
        _publisher!.Add(_output, _payload);
    }

    private void Leave(int count)
    {
        _publisher!.Complete(_output);
        _publisher.Send(_output);
        Volatile.Write(ref _posted, _posted + count);
    }

    private void Flush()
    {
        _publisher!.Finish(_output);
        _publisher.Send(_output);
        long began = Stopwatch.GetTimestamp();
        while (OnTheWay > 0 && !IsStopped)
        {
            if (Stopwatch.GetElapsedTime(began) > LastAcknowledgement)
            {
                throw new TimeoutException($"{_posted:N0} messages were sent, {_acknowledged:N0} acknowledged, and no more acknowledgements come.");
            }

            ShortSleep.For(PauseNanoseconds);
        }
    }
}
