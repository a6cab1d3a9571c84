using System.Buffers.Binary;
using System.Diagnostics;
using Danube.Fast.Bench.Peers.Wire;
using Danube.Fast.Bench.Workers;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>One consumer of a peer, on one thread: counts, checks that each message is the next one, and acknowledges.</summary>
internal sealed class PeerConsumeWorker(WorkerJob job, PeerTarget target) : LoadWorker, IMessageSink
{
    private readonly FlowGate? _gate = FlowGate.Open(job.FlowFile);
    private IPeerSubscriber? _subscriber;
    private Task _loop = Task.CompletedTask;
    private long _received;
    private long _outOfOrder;

    public override Task OpenAsync()
    {
        _subscriber = PeerClients.OpenSubscriber(target);
        _loop = Task.Factory.StartNew(() => GuardAsync(ReceiveAsync), TaskCreationOptions.LongRunning).Unwrap();
        return Task.CompletedTask;
    }

    public void OnMessage(ReadOnlySpan<byte> payload)
    {
        long intended = BinaryPrimitives.ReadInt64LittleEndian(payload);
        if (intended != 0)
        {
            RecordLatency(intended, Stopwatch.GetTimestamp(), 1);
        }

        if (BinaryPrimitives.ReadInt64LittleEndian(payload[8..]) != _received || payload.Length != job.SizeBytes)
        {
            Volatile.Write(ref _outOfOrder, _outOfOrder + 1);
        }

        Volatile.Write(ref _received, _received + 1);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _subscriber?.Dispose();
        await _loop;
        _gate?.Dispose();
    }

    protected override (long Messages, long Acknowledged, long OutOfOrder) Counts() => (Volatile.Read(ref _received), 0, Volatile.Read(ref _outOfOrder));

    private Task ReceiveAsync()
    {
        while (!IsStopped)
        {
            _subscriber!.Receive(this);
            _gate?.SetReceived(0, _received);
        }

        return Task.CompletedTask;
    }
}
