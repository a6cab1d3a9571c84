using BenchmarkDotNet.Attributes;
using Danube.Fast.Protocol;

namespace Danube.Fast.MicroBench;

/// <summary>
/// A message of the control plane as JSON line and as version-1 frame: marshal, unmarshal and both. The payload is JSON in both, so the difference is the envelope.
/// </summary>
[MemoryDiagnoser]
public class EnvelopeFormatBenchmarks
{
    private Envelope _message = new();
    private byte[] _json = [];
    private byte[] _binary = [];

    [GlobalSetup]
    public void Setup()
    {
        _message = new Envelope
        {
            Type = FrameType.Request,
            Id = "$create_producer",
            Source = "client-1",
            Target = "broker-1",
            CorrelationId = "r123456",
            Payload = """{"topic":"/default/orders","name":"billing-7","durability":"fsync"}"""u8.ToArray(),
        };
        _json = JsonLineCodec.Encode(_message);
        _binary = EnvelopeCodec.Encode(_message, PayloadEncoding.Json);
    }

    [Benchmark]
    public int JsonMarshal() => JsonLineCodec.Encode(_message).Length;

    [Benchmark]
    public int BinaryMarshal() => EnvelopeCodec.Encode(_message, PayloadEncoding.Json).Length;

    [Benchmark]
    public bool JsonUnmarshal() => JsonLineCodec.TryDecode(_json, EnvelopeMode.Strict, ProtocolLimits.MaxFrameBeforeHello, out _, out _);

    [Benchmark]
    public bool BinaryUnmarshal() => EnvelopeCodec.TryDecode(_binary, EnvelopeMode.Strict, ProtocolLimits.MaxFrameBeforeHello, out _, out _);

    [Benchmark]
    public bool JsonRoundTrip() => JsonLineCodec.TryDecode(JsonLineCodec.Encode(_message), EnvelopeMode.Strict, ProtocolLimits.MaxFrameBeforeHello, out _, out _);

    [Benchmark]
    public bool BinaryRoundTrip() =>
        EnvelopeCodec.TryDecode(EnvelopeCodec.Encode(_message, PayloadEncoding.Json), EnvelopeMode.Strict, ProtocolLimits.MaxFrameBeforeHello, out _, out _);
}
