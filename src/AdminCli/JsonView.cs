using System.Text.Json;

namespace Danube.Fast.AdminCli;

/// <summary>Reads replies leniently: a member that is missing reads as empty.</summary>
internal static class JsonView
{
    public static string Text(this JsonElement element, string member)
    {
        if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(member, out JsonElement value))
        {
            return "";
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Null => "",
            _ => value.GetRawText(),
        };
    }

    /// <summary>A member; an undefined element when there is none.</summary>
    public static JsonElement Member(this JsonElement element, string member) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(member, out JsonElement value) ? value : default;

    /// <summary>The elements of a reply that is an array, or of its member <paramref name="member"/>.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement reply, string member)
    {
        if (reply.ValueKind == JsonValueKind.Object && reply.TryGetProperty(member, out JsonElement items))
        {
            reply = items;
        }

        return reply.ValueKind == JsonValueKind.Array ? reply.EnumerateArray() : [];
    }
}
