using System.Text;
using Danube.Fast.Client;

namespace Danube.Fast.Cli.Consume;

/// <summary>
/// The compiled form of <c>--format</c>: literal bytes and fields in braces. <c>{{</c> and <c>}}</c> are braces, the escapes of
/// <see cref="Escapes"/> hold.
/// </summary>
internal sealed class MessageTemplate
{
    /// <summary>Payload and newline: what <c>produce</c> reads back.</summary>
    public const string Default = "{payload}\\n";

    private enum Field
    {
        Literal,
        Payload,
        Key,
        Offset,
        Partition,
        Generation,
        PublishTime,
        AppendTime,
        EventTime,
        Redelivery,
    }

    private static readonly Dictionary<string, Field> Fields = new(StringComparer.Ordinal)
    {
        ["payload"] = Field.Payload,
        ["key"] = Field.Key,
        ["offset"] = Field.Offset,
        ["partition"] = Field.Partition,
        ["generation"] = Field.Generation,
        ["publish_time"] = Field.PublishTime,
        ["append_time"] = Field.AppendTime,
        ["event_time"] = Field.EventTime,
        ["redelivery"] = Field.Redelivery,
    };

    private readonly List<(Field Field, byte[] Literal)> _parts = [];

    /// <summary>Names for <c>{...}</c>.</summary>
    public static IEnumerable<string> FieldNames => Fields.Keys;

    /// <summary>True when the last thing printed for a message is a newline.</summary>
    public bool EndsWithNewLine => _parts.Count > 0 && _parts[^1] is { Field: Field.Literal, Literal: [.., (byte)'\n'] };

    /// <summary>Compiles a format; false with a sentence in <paramref name="error"/> when it is wrong.</summary>
    public static bool TryParse(string format, out MessageTemplate template, out string error)
    {
        template = new MessageTemplate();
        error = "";
        string text = Escapes.Resolve(format);
        var literal = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c is '{' or '}' && i + 1 < text.Length && text[i + 1] == c)
            {
                literal.Append(c);
                i++;
            }
            else if (c == '{')
            {
                int close = text.IndexOf('}', i);
                string name = close < 0 ? text[(i + 1)..] : text[(i + 1)..close];
                if (close < 0 || !Fields.TryGetValue(name, out Field field))
                {
                    error = $"--format knows no field '{{{name}{(close < 0 ? "" : "}")}'; there are {string.Join(", ", FieldNames)}. A brace is written twice.";
                    return false;
                }

                template.AddLiteral(literal);
                template._parts.Add((field, []));
                i = close;
            }
            else
            {
                literal.Append(c);
            }
        }

        template.AddLiteral(literal);
        return true;
    }

    /// <summary>Prints one message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="codec">How payloads are written.</param>
    /// <param name="output">Where to.</param>
    /// <param name="withoutLast">Leaves out the last byte of the last literal (<see cref="EndsWithNewLine"/>).</param>
    public void Write(in Message message, PayloadCodec codec, OutputBuffer output, bool withoutLast)
    {
        for (int i = 0; i < _parts.Count; i++)
        {
            (Field field, byte[] literal) = _parts[i];
            switch (field)
            {
                case Field.Literal:
                    output.Write(literal.AsSpan(0, literal.Length - (withoutLast && i == _parts.Count - 1 ? 1 : 0)));
                    break;
                case Field.Payload:
                    output.Write(codec.Encode(message.Payload.Span));
                    break;
                case Field.Key:
                    output.Write(message.Key.Span);
                    break;
                case Field.Offset:
                    output.Write(message.Id.Offset);
                    break;
                case Field.Partition:
                    output.Write(message.Id.Partition);
                    break;
                case Field.Generation:
                    output.Write(message.Id.Generation);
                    break;
                case Field.PublishTime:
                    output.Write(Micros(message.PublishTime));
                    break;
                case Field.AppendTime:
                    output.Write(Micros(message.AppendTime));
                    break;
                case Field.EventTime:
                    output.Write(message.EventTime is { } time ? Micros(time) : 0);
                    break;
                case Field.Redelivery:
                    output.Write(message.RedeliveryCount);
                    break;
            }
        }
    }

    private static long Micros(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    private void AddLiteral(StringBuilder literal)
    {
        if (literal.Length > 0)
        {
            _parts.Add((Field.Literal, Encoding.UTF8.GetBytes(literal.ToString())));
            literal.Clear();
        }
    }
}
