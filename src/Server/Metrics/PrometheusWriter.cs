using System.Buffers;
using System.Globalization;
using System.Text;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// Writes the Prometheus text format 0.0.4: each family once (HELP, TYPE), then its samples. One per scrape, on one thread; the
/// last one is kept with its buffer, so that scraping costs no new one.
/// </summary>
internal sealed class PrometheusWriter
{
    // A page that was larger was of a broker with many topics, asked in detail: not kept.
    private const int LargestKeptPage = 4 * 1024 * 1024;

    private static PrometheusWriter? _kept;

    private readonly ArrayBufferWriter<byte> _output = new(64 * 1024);
    private string _family = "";

    private PrometheusWriter()
    {
    }

    public static PrometheusWriter Rent() => Interlocked.Exchange(ref _kept, null) ?? new PrometheusWriter();

    /// <summary>Gives the writer back; what <see cref="Written"/> gave is no longer valid.</summary>
    public void Return()
    {
        if (_output.Capacity <= LargestKeptPage)
        {
            _output.ResetWrittenCount();
            Volatile.Write(ref _kept, this);
        }
    }

    public ReadOnlyMemory<byte> Written => _output.WrittenMemory;

    public PrometheusWriter Counter(string name, string help) => Family(name, help, "counter"u8);

    public PrometheusWriter Gauge(string name, string help) => Family(name, help, "gauge"u8);

    /// <summary>A sample of the current family. Labels come in pairs of name and value.</summary>
    public void Sample(double value, params ReadOnlySpan<string> labels)
    {
        BeginSample(labels);
        if (value == Math.Floor(value) && Math.Abs(value) < 1e15)
        {
            Number((long)value);
        }
        else
        {
            Format(value);
        }

        Write("\n"u8);
    }

    /// <inheritdoc cref="Sample(double, ReadOnlySpan{string})"/>
    public void Sample(long value, params ReadOnlySpan<string> labels)
    {
        BeginSample(labels);
        Number(value);
        Write("\n"u8);
    }

    private PrometheusWriter Family(string name, string help, ReadOnlySpan<byte> type)
    {
        _family = name;
        Write("# HELP "u8);
        Write(name);
        Write(" "u8);
        Write(help);
        Write("\n# TYPE "u8);
        Write(name);
        Write(" "u8);
        Write(type);
        Write("\n"u8);
        return this;
    }

    private void BeginSample(ReadOnlySpan<string> labels)
    {
        Write(_family);
        for (int i = 0; i < labels.Length; i += 2)
        {
            Write(i == 0 ? "{"u8 : ","u8);
            Write(labels[i]);
            Write("=\""u8);
            Escaped(labels[i + 1]);
            Write("\""u8);
        }

        Write(labels.IsEmpty ? " "u8 : "} "u8);
    }

    private void Escaped(string value)
    {
        if (value.AsSpan().IndexOfAny('\\', '"', '\n') >= 0)
        {
            value = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        }

        Write(value);
    }

    private void Number(long value)
    {
        value.TryFormat(_output.GetSpan(20), out int length, default, CultureInfo.InvariantCulture);
        _output.Advance(length);
    }

    private void Format(double value)
    {
        value.TryFormat(_output.GetSpan(32), out int length, "G17", CultureInfo.InvariantCulture);
        _output.Advance(length);
    }

    private void Write(string text)
    {
        Span<byte> target = _output.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        _output.Advance(Encoding.UTF8.GetBytes(text, target));
    }

    private void Write(ReadOnlySpan<byte> bytes) => _output.Write(bytes);
}
