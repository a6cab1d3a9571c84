using BenchmarkDotNet.Attributes;
using Danube.Fast.Protocol;

namespace Danube.Fast.MicroBench;

/// <summary>P1, version 1: the control plane's header, written and read as a view.</summary>
[MemoryDiagnoser]
public class EnvelopeBenchmarks
{
    private readonly byte[] _header = new byte[ProtocolLimits.HeaderSize];

    // Fields, not literals: the compiler must not know their lengths.
    private byte[] _id = [], _source = [], _target = [], _correlation = [];
    private uint _length;

    [GlobalSetup]
    public void Setup()
    {
        _id = "$create_producer"u8.ToArray();
        _source = "client-1"u8.ToArray();
        _target = "broker-1"u8.ToArray();
        _correlation = "r123456"u8.ToArray();
        _length = 512;
        Encode();
    }

    /// <summary>Writes all 128 bytes from UTF-8 ids.</summary>
    [Benchmark]
    public byte Encode()
    {
        EnvelopeHeaderWriter.Write(_header, FrameType.Request, PayloadEncoding.Json, _length, _id, _source, _target, _correlation);
        return _header[4];
    }

    /// <summary>Reads every fixed field and all four ids through the view.</summary>
    [Benchmark]
    public int Decode()
    {
        var header = new EnvelopeHeader(_header);
        return (int)header.PayloadLength + (int)header.Type + (int)header.Encoding + header.Reserved
            + header.Id.Length + header.Source.Length + header.Target.Length + header.CorrelationId.Length;
    }

    /// <summary>The view as dispatch uses it: type, encoding, length and the command; the other ids are not looked at.</summary>
    [Benchmark]
    public int DecodeToView()
    {
        var header = new EnvelopeHeader(_header);
        return (int)header.PayloadLength + (int)header.Type + (int)header.Encoding + header.Id.Length;
    }
}
