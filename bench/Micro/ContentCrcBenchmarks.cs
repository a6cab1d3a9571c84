using BenchmarkDotNet.Attributes;
using Danube.Fast.Protocol;

namespace Danube.Fast.MicroBench;

/// <summary>CRC32C of payloads: checked on publish, on recovery and by the client.</summary>
[MemoryDiagnoser]
public class ContentCrcBenchmarks
{
    private byte[] _payload = [];

    [Params(1024, 65_536)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _payload = new byte[Bytes];
        new Random(1).NextBytes(_payload);
    }

    [Benchmark]
    public uint ContentCrc() => Crc32C.Compute(_payload);
}
