using System.Text;

namespace Danube.Fast.Bench.Reports;

/// <summary>Writes everything to two places.</summary>
public sealed class TeeWriter(TextWriter first, TextWriter second) : TextWriter(System.Globalization.CultureInfo.InvariantCulture)
{
    public override Encoding Encoding => first.Encoding;

    public override void Write(char value)
    {
        first.Write(value);
        second.Write(value);
    }

    public override void Write(string? value)
    {
        first.Write(value);
        second.Write(value);
    }

    public override void Write(char[] buffer, int index, int count)
    {
        first.Write(buffer, index, count);
        second.Write(buffer, index, count);
    }

    public override void Flush()
    {
        first.Flush();
        second.Flush();
    }
}
