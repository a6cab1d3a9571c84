using System.CommandLine;

namespace Danube.Fast.AdminCli;

/// <summary>Names on the command line, checked before anything is sent.</summary>
internal static class TopicArgument
{
    public static Argument<string> Topic()
    {
        var topic = new Argument<string>("topic") { Description = "Name of the topic, /namespace/name." };
        topic.Validators.Add(result => Check(result.GetValueOrDefault<string>(), result.AddError));
        return topic;
    }

    /// <summary>Says what is wrong with the name of a topic.</summary>
    public static void Check(string? name, Action<string> addError)
    {
        string[] parts = (name ?? "").Split('/');
        if (parts.Length != 3 || parts[0].Length > 0 || !parts.Skip(1).All(IsNamePart))
        {
            addError($"'{name}' is no topic name: it takes the form /namespace/name with letters, digits, '.', '_' and '-'.");
        }
    }

    public static Argument<string> Part(string what)
    {
        var part = new Argument<string>(what) { Description = $"Name of the {what}." };
        part.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } name && !IsNamePart(name))
            {
                result.AddError($"'{name}' is no {what} name: it has letters, digits, '.', '_' and '-'.");
            }
        });
        return part;
    }

    private static bool IsNamePart(string part) =>
        part.Length > 0 && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
