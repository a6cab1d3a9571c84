using System.Globalization;
using System.Text;
using Danube.Fast.Core;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// Writes a part of a page of metrics: each family once (HELP, TYPE), then its samples. Names and labels come encoded, so a sample is two copies and a
/// number; what the lines of a histogram share is put together once. For one page at a time, on one thread; writers and their buffers are kept for the next one.
/// </summary>
internal sealed class PrometheusWriter : IMetricSink
{
    // The largest part is a histogram of all topics: of a thousand about 3 MB. Two writers serve a page.
    private const int LargestKeptPart = 8 * 1024 * 1024;
    private const int Smallest = 128 * 1024;
    private const int NumberRoom = 32, ExemplarRoom = 160, Punctuation = 16;

    private static readonly byte[] TotalSuffix = "_total"u8.ToArray();
    private static PrometheusWriter? _kept, _keptToo;

    private byte[] _bytes = new byte[Smallest];
    private int _length;
    private PageFormat _format;

    // Of the family: "name" and, for a sample with labels, "name{"; those of a histogram with its suffixes.
    private ReadOnlyMemory<byte> _name;
    private byte[] _bucketLine = new byte[1024];

    private PrometheusWriter()
    {
    }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    public static PrometheusWriter Rent(PageFormat format)
    {
        PrometheusWriter writer = Interlocked.Exchange(ref _kept, null) ?? Interlocked.Exchange(ref _keptToo, null) ?? new PrometheusWriter();
        writer._format = format;
        return writer;
    }

    /// <summary>Forgets what is written; what <see cref="Written"/> gave is no longer valid.</summary>
    public void Clear() => _length = 0;

    /// <summary>Clears the writer and gives it back.</summary>
    public void Return()
    {
        Clear();
        if (_bytes.Length <= LargestKeptPart && Interlocked.CompareExchange(ref _kept, this, null) is not null)
        {
            Volatile.Write(ref _keptToo, this);
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
        Span<byte> to = Room(LineRoom(labels));
        int at = Head(to, default, labels);
        at += Number(to[at..], value);
        to[at++] = (byte)'\n';
        _length += at;
    }

    public void Sample(LabelSet labels, double value)
    {
        Span<byte> to = Room(LineRoom(labels));
        int at = Head(to, default, labels);
        at += Number(to[at..], value);
        to[at++] = (byte)'\n';
        _length += at;
    }

    /// <summary>Nothing for a histogram that has recorded nothing: its series begin with the first value.</summary>
    public void Sample(LabelSet labels, MetricHistogram histogram)
    {
        HistogramScale scale = histogram.Scale;
        Span<long> counts = stackalloc long[scale.Buckets];
        long count = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            counts[i] = count += histogram[i];
        }

        if (count == 0)
        {
            return;
        }

        byte[][] bounds = BucketLabels.Of(scale);
        Span<byte> to = Room((counts.Length + 2) * (LineRoom(labels) + ExemplarRoom));
        ReadOnlySpan<byte> line = BucketLine(labels);
        int at = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            at += Copy(line, to[at..]);
            at += Copy(bounds[i], to[at..]);
            at += Number(to[at..], counts[i]);
            at += WriteExemplar(to[at..], histogram, i);
            to[at++] = (byte)'\n';
        }

        at += Head(to[at..], "_sum"u8, labels);
        at += Number(to[at..], histogram.Sum);
        to[at++] = (byte)'\n';
        at += Head(to[at..], "_count"u8, labels);
        at += Number(to[at..], count);
        to[at++] = (byte)'\n';
        _length += at;
    }

    private int WriteExemplar(Span<byte> to, MetricHistogram histogram, int bucket)
    {
        if (_format != PageFormat.OpenMetrics || !histogram.TryGetExemplar(bucket, out Exemplar exemplar))
        {
            return 0;
        }

        return Encoding.UTF8.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $" # {{trace_id=\"{exemplar.TraceIdHigh:x16}{exemplar.TraceIdLow:x16}\"}} {exemplar.Value:R} {exemplar.UnixMicros / 1e6:F6}"),
            to);
    }

    // What all bucket lines of a series begin with: name_bucket{labels,
    private ReadOnlySpan<byte> BucketLine(LabelSet labels)
    {
        ReadOnlySpan<byte> name = _name.Span, text = labels.Text;
        if (_bucketLine.Length < name.Length + text.Length + Punctuation)
        {
            _bucketLine = new byte[2 * (name.Length + text.Length + Punctuation)];
        }

        int at = Copy(name, _bucketLine);
        at += Copy("_bucket{"u8, _bucketLine.AsSpan(at));
        at += Copy(text, _bucketLine.AsSpan(at));
        at += Copy(text.IsEmpty ? default : ","u8, _bucketLine.AsSpan(at));
        return _bucketLine.AsSpan(0, at);
    }

    // Name, labels and the blank behind them.
    private int Head(Span<byte> to, ReadOnlySpan<byte> suffix, LabelSet labels)
    {
        ReadOnlySpan<byte> text = labels.Text;
        int at = Copy(_name.Span, to);
        at += Copy(suffix, to[at..]);
        if (!text.IsEmpty)
        {
            to[at++] = (byte)'{';
            at += Copy(text, to[at..]);
            to[at++] = (byte)'}';
        }

        to[at++] = (byte)' ';
        return at;
    }

    private int LineRoom(LabelSet labels) => _name.Length + labels.Text.Length + BucketLabels.Longest + NumberRoom + Punctuation;

    private static int Number(Span<byte> to, long value)
    {
        value.TryFormat(to, out int length, default, CultureInfo.InvariantCulture);
        return length;
    }

    private static int Number(Span<byte> to, double value)
    {
        if (value == Math.Floor(value) && Math.Abs(value) < 1e15)
        {
            return Number(to, (long)value);
        }

        value.TryFormat(to, out int length, "R", CultureInfo.InvariantCulture);
        return length;
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
