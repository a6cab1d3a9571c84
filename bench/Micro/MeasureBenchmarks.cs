using BenchmarkDotNet.Attributes;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.MicroBench;

/// <summary>What a reading of a subscription takes, under its lock, while a consumer holds so many delivers: it must not depend on their number.</summary>
[MemoryDiagnoser]
public class MeasureBenchmarks : IFrameSink
{
    private const int PayloadBytes = 16;

    private Topic _topic = null!;
    private Subscription _subscription = null!;

    [Params(1, 100_000)]
    public int Held { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var store = new MemoryLogStore();
        _topic = new Topic("/bench/measure", store.Create(1, DurabilityClass.Os, new LogRetention(0, 256 << 20)), store.Cursors, new TopicOptions(), TimeProvider.System);
        _subscription = _topic.OpenSubscriptionAsync(new SubscriptionSpec("s", SubscriptionType.Exclusive, StartPosition.Earliest), CancellationToken.None).AsTask().GetAwaiter().GetResult();
        Producer producer = _topic.AttachProducer(1, 0, 1, this);
        if (_subscription.AddConsumer("c", 0, 2, this, out Consumer? consumer, out string message) != ErrorCode.None)
        {
            throw new InvalidOperationException(message);
        }

        Wait();
        byte[] credit = new byte[ProtocolLimits.HeaderSize];
        CreditFrame.Write(credit, 2, ulong.MaxValue, ulong.MaxValue, _subscription.Epoch, 0);
        consumer!.OnCredit(new CreditFrame(credit));
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        writer.TryAppend(new byte[PayloadBytes]);
        for (int i = 1; i <= Held; i++)
        {
            // One deliver for each.
            writer.Seal(new PublishFields { ProducerId = 1, Sequence = (ulong)i, PublishTimeMicros = 1 }, 1, Codec.None);
            _topic.Publish(producer, writer.Frame.ToArray());
            Wait();
        }

        if (_subscription.InFlight != Held)
        {
            throw new InvalidOperationException($"{_subscription.InFlight} are held.");
        }
    }

    [Benchmark]
    public long Measure() => _subscription.Measure().Pending;

    bool IFrameSink.Send(ReadOnlySpan<byte> frames) => true;

    bool IFrameSink.Send(ReadOnlySpan<byte> prefix, LogRun run)
    {
        run.Owner.Release();
        return true;
    }

    void IFrameSink.Flush()
    {
    }

    void IFrameSink.SendError(ErrorCode code, string message, uint channel, ulong? sequence) => throw new InvalidOperationException(message);

    void IFrameSink.CloseChannel(uint channel, ErrorCode code, string message) => throw new InvalidOperationException(message);

    private void Wait()
    {
        var spin = default(SpinWait);
        while (!_subscription.IsIdle)
        {
            spin.SpinOnce(-1);
        }
    }
}
