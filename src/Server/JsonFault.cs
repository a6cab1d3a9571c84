using System.Text.Json;

namespace Danube.Fast.Server;

/// <summary>What is wrong with the JSON of a request, in words of the protocol: names of .NET types mean nothing to who sent it.</summary>
internal static class JsonFault
{
    public static string Describe(JsonException e)
    {
        string text = e.Message;
        string at = e.Path is null or "$" ? "" : $" (at {e.Path})";
        if (text.Contains("could not be mapped to any .NET member", StringComparison.Ordinal))
        {
            int name = text.IndexOf('\'', StringComparison.Ordinal);
            int end = text.IndexOf('\'', name + 1);
            return $"there is no member {text[name..(end + 1)]}{at}";
        }

        if (text.StartsWith("The JSON value could not be converted", StringComparison.Ordinal))
        {
            return $"a value has the wrong type, or is out of range{at}";
        }

        int path = text.IndexOf(" Path: ", StringComparison.Ordinal);
        return (path > 0 ? text[..path] : text) + at;
    }
}
