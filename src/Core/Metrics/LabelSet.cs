using System.Buffers;
using System.Text;

namespace Danube.Fast.Core;

/// <summary>
/// The labels of a series, or of the same series in several families. Made once and kept as long as the series lives, so that its text is
/// encoded once and not per scrape. Immutable. Runs on: any thread.
/// </summary>
public sealed class LabelSet
{
    private static readonly SearchValues<char> Special = SearchValues.Create("\\\"\n");

    private readonly string[] _names;
    private readonly string[] _values;
    private byte[]? _text;
    private KeyValuePair<string, object?>[]? _tags;

    /// <param name="names">Names of the family's labels, in its order.</param>
    /// <param name="values">As many values; any text.</param>
    /// <exception cref="ArgumentException">Not as many values as names.</exception>
    public LabelSet(string[] names, params string[] values)
    {
        if (names.Length != values.Length)
        {
            throw new ArgumentException($"{values.Length} values for the labels {string.Join(", ", names)}.", nameof(values));
        }

        _names = names;
        _values = values;
    }

    /// <summary>No labels.</summary>
    public static LabelSet None { get; } = new([]);

    public IReadOnlyList<string> Names => _names;

    public IReadOnlyList<string> Values => _values;

    /// <summary><c>name="value",name="value"</c> in UTF-8, values escaped as the Prometheus formats ask for; empty without labels.</summary>
    public ReadOnlySpan<byte> Text => _text ??= Encode();

    /// <summary>The labels as the tags of a <c>System.Diagnostics.Metrics</c> measurement.</summary>
    public ReadOnlySpan<KeyValuePair<string, object?>> Tags => _tags ??= [.. _names.Zip(_values, (n, v) => KeyValuePair.Create(n, (object?)v))];

    private byte[] Encode()
    {
        var text = new StringBuilder();
        for (int i = 0; i < _names.Length; i++)
        {
            text.Append(i == 0 ? "" : ",").Append(_names[i]).Append("=\"").Append(Escape(_values[i])).Append('"');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static string Escape(string value) => value.AsSpan().ContainsAny(Special)
        ? value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)
        : value;
}
