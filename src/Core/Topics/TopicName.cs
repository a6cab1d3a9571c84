using System.Diagnostics.CodeAnalysis;

namespace Danube.Fast.Core;

/// <summary>A checked topic name <c>/namespace/name</c>; each part is 1 to 255 of <c>A-Z a-z 0-9 . _ -</c>.</summary>
public sealed record TopicName
{
    /// <summary>Longest part of a name.</summary>
    public const int MaxPartLength = 255;

    private const string PartitionMark = "-part-";

    private TopicName(string full, int slash)
    {
        Full = full;
        Namespace = full[1..slash];
        Name = full[(slash + 1)..];
        int mark = Name.LastIndexOf(PartitionMark, StringComparison.Ordinal);
        Partition = mark > 0 && int.TryParse(Name.AsSpan(mark + PartitionMark.Length), System.Globalization.NumberStyles.None, null, out int partition)
            ? partition
            : -1;
    }

    /// <summary>The whole name, <c>/namespace/name</c>.</summary>
    public string Full { get; }

    public string Namespace { get; }

    public string Name { get; }

    /// <summary>The number behind <c>-part-</c>, or -1.</summary>
    public int Partition { get; }

    /// <summary>The topic of partition <paramref name="partition"/> of this base topic.</summary>
    public string PartitionTopic(int partition) => $"{Full}{PartitionMark}{partition}";

    /// <summary>Checks a name; false when it is not of the form <c>/namespace/name</c>.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out TopicName? name)
    {
        name = null;
        if (text is null || text.Length < 4 || text[0] != '/')
        {
            return false;
        }

        int slash = text.IndexOf('/', 1);
        if (slash < 0 || !IsPart(text.AsSpan(1, slash - 1)) || !IsPart(text.AsSpan(slash + 1)))
        {
            return false;
        }

        name = new TopicName(text, slash);
        return true;
    }

    /// <summary>True for a name part: also the rule for subscription and namespace names.</summary>
    public static bool IsPart(ReadOnlySpan<char> part)
    {
        if (part.IsEmpty || part.Length > MaxPartLength)
        {
            return false;
        }

        foreach (char c in part)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'))
            {
                return false;
            }
        }

        return true;
    }

    public override string ToString() => Full;
}
