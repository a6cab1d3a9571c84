using BenchmarkDotNet.Attributes;
using Danube.Fast.Protocol;

namespace Danube.Fast.MicroBench;

/// <summary>P1, version 2: the stored frame's header without its CRC, and the CRC by itself.</summary>
[MemoryDiagnoser]
public class StreamHeaderBenchmarks
{
    private readonly byte[] _header = new byte[ProtocolLimits.HeaderSize];
    private readonly PublishFields _fields = new() { RecordCount = 60, ProducerId = 0x1122334455667788, Sequence = 1, PublishTimeMicros = 1_700_000_000_000_000, RawLength = 61_740 };

    [GlobalSetup]
    public void Setup()
    {
        Write();
        StreamHeaderWriter.SealHeader(_header);
    }

    /// <summary>What a producer writes, all fields, no CRC.</summary>
    [Benchmark]
    public byte Write()
    {
        StreamHeaderWriter.Begin(_header, FrameType.Publish, 61_740, 7);
        StreamHeaderWriter.SetProducerFields(_header, _fields);
        return _header[4];
    }

    /// <summary>Reads the fields that publish, dispatch and the client need.</summary>
    [Benchmark]
    public ulong Read()
    {
        var header = new StreamHeader(_header);
        return header.PayloadLength + header.Channel + (ulong)header.Offset + (ulong)header.AppendTimeMicros + header.TopicEpoch + header.Generation
            + header.RecordCount + header.ProducerId + header.Sequence + (ulong)header.PublishTimeMicros + header.KeyHash + header.RawLength;
    }

    /// <summary>CRC32C over the header's 124 bytes.</summary>
    [Benchmark]
    public bool HeaderCrc() => new StreamHeader(_header).HasValidHeaderCrc;
}
