using System.Globalization;
using System.Text;
using Danube.Fast.Core;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// Writes a page of metrics: each family once (HELP, TYPE), then its samples. Names and labels come encoded, so a sample is two copies and a
/// number. One per scrape, on one thread; the last one is kept with its buffer, so that scraping costs no new one.
/// </summary>
internal sealed class PrometheusWriter : IMetricSink
{
    // A page of a thousand topics has about 20 MB; what is larger is not kept.
    private const int LargestKeptPage = 32 * 1024 * 1024;
    private const int Smallest = 64 * 1024;
    private const int NumberRoom = 32;

    private static readonly byte[] TotalSuffix = "_total"u8.ToArray();
    private static PrometheusWriter? _kept;

    private byte[] _bytes = new byte[Smallest];
    private int _length;
    private PageFormat _format;
    private ReadOnlyMemory<byte> _name;

    private PrometheusWriter()
    {
    }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    public static PrometheusWriter Rent(PageFormat format)
    {
        PrometheusWriter writer = Interlocked.Exchange(ref _kept, null) ?? new PrometheusWriter();
        writer._format = format;
        return writer;
    }

    /// <summary>Gives the writer back; what <see cref="Written"/> gave is no longer valid.</summary>
    public void Return()
    {
        _length = 0;
        if (_bytes.Length <= LargestKeptPage)
        {
            Volatile.Write(ref _kept, this);
        }
    }

    /// <summary>HELP and TYPE; the samples that follow are of this family.</summary>
    public void Begin(MetricFamily family)
    {
        _name = family.NameUtf8;

        // OpenMetrics names a counter without the suffix that its samples have.
        ReadOnlySpan<byte> name = _format == PageFormat.OpenMetrics && family.Kind == MetricKind.Counter ? _name.Span[..^TotalSuffix.Length] : _name.Span;
        Write("# HELP "u8);
        Write(name);
        Write(" "u8);
        Write(family.HelpUtf8.Span);
        Write("\n# TYPE "u8);
        Write(name);
        Write(family.Kind switch { MetricKind.Counter => " counter\n"u8, MetricKind.Gauge => " gauge\n"u8, _ => " histogram\n"u8 });
    }

    /// <summary>After the last family.</summary>
    public void End()
    {
        if (_format == PageFormat.OpenMetrics)
        {
            Write("# EOF\n"u8);
        }
    }

    public void Sample(LabelSet labels, long value)
    {
        BeginSample(default, labels);
        Number(value);
        Write("\n"u8);
    }

    public void Sample(LabelSet labels, double value)
    {
        BeginSample(default, labels);
        Number(value);
        Write("\n"u8);
    }

    /// <summary>Nothing for a histogram that has recorded nothing: its series begin with the first value.</summary>
    public void Sample(LabelSet labels, MetricHistogram histogram)
    {
        HistogramScale scale = histogram.Scale;
        if (histogram.Count == 0)
        {
            return;
        }

        IReadOnlyList<byte[]> bounds = BucketLabels.Of(scale);
        long count = 0;
        for (int i = 0; i < scale.Buckets; i++)
        {
            count += histogram[i];
            BeginSample("_bucket"u8, labels, bounds[i]);
            Number(count);
            WriteExemplar(histogram, i);
            Write("\n"u8);
        }

        BeginSample("_sum"u8, labels);
        Number(histogram.Sum);
        Write("\n"u8);
        BeginSample("_count"u8, labels);
        Number(count);
        Write("\n"u8);
    }

    private void WriteExemplar(MetricHistogram histogram, int bucket)
    {
        if (_format != PageFormat.OpenMetrics || !histogram.TryGetExemplar(bucket, out Exemplar exemplar))
        {
            return;
        }

        Write(Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $" # {{trace_id=\"{exemplar.TraceIdHigh:x16}{exemplar.TraceIdLow:x16}\"}} {exemplar.Value:R} {exemplar.UnixMicros / 1e6:F6}")));
    }

    private void BeginSample(ReadOnlySpan<byte> suffix, LabelSet labels, ReadOnlySpan<byte> bucket = default)
    {
        ReadOnlySpan<byte> name = _name.Span, text = labels.Text.Span;
        Span<byte> to = Room(name.Length + suffix.Length + text.Length + bucket.Length + 4);
        int at = Copy(name, to);
        at += Copy(suffix, to[at..]);
        if (text.Length + bucket.Length > 0)
        {
            to[at++] = (byte)'{';
            at += Copy(text, to[at..]);
            if (text.Length > 0 && bucket.Length > 0)
            {
                to[at++] = (byte)',';
            }

            at += Copy(bucket, to[at..]);
            to[at++] = (byte)'}';
        }

        to[at++] = (byte)' ';
        _length += at;
    }

    private void Number(long value)
    {
        value.TryFormat(Room(NumberRoom), out int length, default, CultureInfo.InvariantCulture);
        _length += length;
    }

    private void Number(double value)
    {
        if (value == Math.Floor(value) && Math.Abs(value) < 1e15)
        {
            Number((long)value);
            return;
        }

        value.TryFormat(Room(NumberRoom), out int length, "R", CultureInfo.InvariantCulture);
        _length += length;
    }

    private void Write(ReadOnlySpan<byte> bytes) => _length += Copy(bytes, Room(bytes.Length));

    private static int Copy(ReadOnlySpan<byte> bytes, Span<byte> to)
    {
        bytes.CopyTo(to);
        return bytes.Length;
    }

    private Span<byte> Room(int bytes)
    {
        if (_bytes.Length - _length < bytes)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + bytes));
        }

        return _bytes.AsSpan(_length);
    }
}
