using System.Text;

namespace Danube.Fast.Protocol;

/// <summary>JSON strings byte for byte as the reference encoder of the envelope writes them.</summary>
internal static class JsonText
{
    /// <summary>Appends <paramref name="text"/> in quotes. A lone surrogate becomes U+FFFD.</summary>
    public static void Append(StringBuilder json, string text)
    {
        json.Append('"');
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (char.IsSurrogate(c))
            {
                bool pair = char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
                json.Append(pair ? c : '\uFFFD');
                if (pair)
                {
                    json.Append(text[++i]);
                }

                continue;
            }

            switch (c)
            {
                case '"' or '\\':
                    json.Append('\\').Append(c);
                    break;
                case '\n':
                    json.Append("\\n");
                    break;
                case '\r':
                    json.Append("\\r");
                    break;
                case '\t':
                    json.Append("\\t");
                    break;
                case < ' ' or '<' or '>' or '&' or '\u2028' or '\u2029':
                    json.Append("\\u").Append(((int)c).ToString("x4", null));
                    break;
                default:
                    json.Append(c);
                    break;
            }
        }

        json.Append('"');
    }
}
