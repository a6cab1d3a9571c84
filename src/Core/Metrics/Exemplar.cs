namespace Danube.Fast.Core;

/// <summary>A sampled trace that shows where a value of a histogram came from.</summary>
/// <param name="TraceIdHigh">First 8 bytes of the W3C trace id, big-endian.</param>
/// <param name="TraceIdLow">Last 8 bytes of it.</param>
/// <param name="Value">The value in the unit that the histogram shows.</param>
/// <param name="UnixMicros">When it was recorded.</param>
public readonly record struct Exemplar(ulong TraceIdHigh, ulong TraceIdLow, double Value, long UnixMicros);

/// <summary>The newest exemplar of each bucket. Made with the first one: most histograms never have any. Runs on: any thread, under its lock.</summary>
internal sealed class ExemplarTable(int buckets)
{
    private readonly Lock _lock = new();
    private readonly Exemplar[] _newest = new Exemplar[buckets];

    public void Put(int bucket, in Exemplar exemplar)
    {
        lock (_lock)
        {
            _newest[bucket] = exemplar;
        }
    }

    public bool TryGet(int bucket, out Exemplar exemplar)
    {
        lock (_lock)
        {
            exemplar = _newest[bucket];
        }

        return exemplar.UnixMicros != 0;
    }
}
