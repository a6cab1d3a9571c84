using System.Text;

namespace Danube.Fast.Cli;

/// <summary>Backslash escapes in option values: <c>\n \t \r \0 \\</c>. Any other character after a backslash stands as written.</summary>
internal static class Escapes
{
    public static string Resolve(string text)
    {
        var result = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                result.Append(text[i]);
                continue;
            }

            char c = text[++i];
            result.Append(c switch
            {
                'n' => "\n",
                't' => "\t",
                'r' => "\r",
                '0' => "\0",
                '\\' => "\\",
                _ => "\\" + c,
            });
        }

        return result.ToString();
    }
}
