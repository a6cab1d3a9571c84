using System.Globalization;

namespace Danube.Fast.Wal;

/// <summary>Names of the files in a topic's directory.</summary>
internal static class SegmentNames
{
    public const string Snapshot = "producers.snap";

    private const string PreparedPrefix = "prepared-";
    private const string Suffix = ".log";
    private const int Digits = 20;

    public static string Of(long baseOffset) => baseOffset.ToString("D20", CultureInfo.InvariantCulture) + Suffix;

    /// <summary>The next segment before it has a base offset; never of use after a restart.</summary>
    public static string Prepared(long number) => PreparedPrefix + number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Left over by a process that ended.</summary>
    public static bool IsTemporary(string name) =>
        name.StartsWith(PreparedPrefix, StringComparison.Ordinal) || name.EndsWith(".tmp", StringComparison.Ordinal);

    public static bool TryParse(string name, out long baseOffset)
    {
        baseOffset = 0;
        return name.Length == Digits + Suffix.Length && name.EndsWith(Suffix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(0, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out baseOffset);
    }
}
