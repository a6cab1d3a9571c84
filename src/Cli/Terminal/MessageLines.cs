using System.Globalization;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Terminal;

/// <summary>Messages that were looked at, one line each.</summary>
internal static class MessageLines
{
    public static void Write(TextWriter output, IEnumerable<MessageBody> messages)
    {
        var table = new TextTable("OFFSET", "STORED", "REDELIVERIES", "KEY", "ATTRIBUTES", "PAYLOAD");
        foreach (MessageBody message in messages)
        {
            table.Add(
                message.Offset, Time(message.AppendTime), message.RedeliveryCount, Text(message.Key, message.KeyBase64) ?? "-", Attributes(message.Attributes),
                Text(message.Payload, message.PayloadBase64) ?? "");
        }

        table.WriteTo(output);
    }

    private static string Time(long unixMicros) =>
        DateTimeOffset.UnixEpoch.AddTicks(unixMicros * TimeSpan.TicksPerMicrosecond).ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);

    private static string? Text(string? text, string? base64) => base64 is null ? text is null ? null : OneLine(text) : "base64:" + base64;

    private static string Attributes(Dictionary<string, string>? attributes) =>
        attributes is null || attributes.Count == 0 ? "-" : string.Join(',', attributes.Select(a => $"{OneLine(a.Key)}={OneLine(a.Value)}"));

    // What would move the cursor of a terminal is shown, not done.
    private static string OneLine(string text)
    {
        if (!text.Any(c => char.IsControl(c) || c == '\\'))
        {
            return text;
        }

        var line = new StringBuilder();
        foreach (char c in text)
        {
            line.Append(c switch
            {
                '\\' => @"\\",
                '\n' => @"\n",
                '\r' => @"\r",
                '\t' => @"\t",
                _ when char.IsControl(c) => $"\\x{(int)c:x2}",
                _ => c.ToString(),
            });
        }

        return line.ToString();
    }
}
