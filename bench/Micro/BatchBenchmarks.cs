using BenchmarkDotNet.Attributes;
using Danube.Fast.Protocol;

namespace Danube.Fast.MicroBench;

/// <summary>A batch of 60 records of 1 KiB: written by the producer, checked by the broker, read by the consumer. Per batch, not per record.</summary>
[MemoryDiagnoser]
public class BatchBenchmarks
{
    private const int Records = 60;

    private readonly byte[] _payload = new byte[1024];
    private readonly BatchWriter _writer = new(ProtocolLimits.DefaultMaxFrame);
    private byte[] _frame = [];

    [GlobalSetup]
    public void Setup()
    {
        new Random(1).NextBytes(_payload);
        Write();
        _frame = _writer.Frame.ToArray();
    }

    [Benchmark]
    public int Write()
    {
        _writer.Reset();
        for (int i = 0; i < Records; i++)
        {
            _writer.TryAppend(_payload);
        }

        return _writer.Seal(new PublishFields { ProducerId = 1, Sequence = 1, PublishTimeMicros = 1 }, 1, Codec.None).Length;
    }

    [Benchmark]
    public ErrorCode Validate() => PublishValidator.Validate(_frame, ProtocolLimits.DefaultMaxFrame);

    [Benchmark]
    public int Read()
    {
        int bytes = 0;
        var run = new RunReader(_frame);
        while (run.TryRead(out StoredFrame frame))
        {
            var records = new RecordReader(frame.Payload);
            while (records.TryRead(out Record record))
            {
                bytes += record.Payload.Length;
            }
        }

        return bytes;
    }
}
