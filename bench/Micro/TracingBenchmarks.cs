using System.Diagnostics;
using BenchmarkDotNet.Attributes;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.MicroBench;

/// <summary>What a published frame pays for tracing in the broker, while somebody listens and while nobody does, for a frame that is sampled and for one that is not.</summary>
[MemoryDiagnoser]
public class TracingBenchmarks
{
    private readonly byte[] _plain = new byte[ProtocolLimits.HeaderSize], _sampled = new byte[ProtocolLimits.HeaderSize];

    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = s => s.Name == BrokerTracing.SourceName,
        Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
    };

    private Topic _topic = null!;

    /// <summary>Somebody listens to the broker's spans.</summary>
    [Params(false, true)]
    public bool Listening { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var store = new MemoryLogStore();
        _topic = new Topic("/bench/trace", store.Create(1, DurabilityClass.Os, default), store.Cursors, new TopicOptions(), TimeProvider.System);
        foreach (byte[] header in new[] { _plain, _sampled })
        {
            StreamHeaderWriter.Begin(header, FrameType.Publish, 0, 1);
        }

        StreamHeaderWriter.SetFlags(_sampled, FrameFlags.Sampled);
        byte[] id = [.. Enumerable.Repeat((byte)7, 16)];
        StreamHeaderWriter.SetTrace(_sampled, id, id);
        if (Listening)
        {
            ActivitySource.AddActivityListener(_listener);
        }
    }

    [GlobalCleanup]
    public void Cleanup() => _listener.Dispose();

    [Benchmark]
    public bool PlainFrame() => Trace(_plain);

    [Benchmark]
    public bool SampledFrame() => Trace(_sampled);

    // As Topic.Publish does it: the moments once per call, the rest for each frame.
    private bool Trace(byte[] header)
    {
        PublishMoments moments = BrokerTracing.IsOn ? new PublishMoments(_topic, _topic.NowMicros(), _topic.NowMicros()) : default;
        PublishSpans? spans = moments.SpansOf(new StreamHeader(header));
        spans?.Acknowledged(_topic.NowMicros());
        return spans is not null;
    }
}
