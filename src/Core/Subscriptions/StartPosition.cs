using System.Globalization;

namespace Danube.Fast.Core;

/// <summary>Kinds of <see cref="StartPosition"/>.</summary>
public enum StartKind : byte
{
    Earliest = 0,
    Latest = 1,
    Offset = 2,
    Time = 3,
}

/// <summary>Where a new subscription starts, or where a seek goes.</summary>
/// <param name="Kind">What the value means.</param>
/// <param name="Value">The offset, or Unix microseconds of the append time; 0 for the other kinds.</param>
public readonly record struct StartPosition(StartKind Kind, long Value)
{
    /// <summary>The first record kept.</summary>
    public static StartPosition Earliest => new(StartKind.Earliest, 0);

    /// <summary>Behind the last record appended.</summary>
    public static StartPosition Latest => new(StartKind.Latest, 0);

    public static StartPosition AtOffset(long offset) => new(StartKind.Offset, offset);

    /// <summary>The first record appended at or after <paramref name="unixMicros"/>.</summary>
    public static StartPosition AtTime(long unixMicros) => new(StartKind.Time, unixMicros);

    /// <summary>Reads <c>earliest</c>, <c>latest</c>, <c>offset:N</c> or <c>time:MICROSECONDS</c>; numbers are 0 or more.</summary>
    public static bool TryParse(string? text, out StartPosition start)
    {
        start = default;
        switch (text)
        {
            case null:
                return false;
            case "earliest":
                start = Earliest;
                return true;
            case "latest":
                start = Latest;
                return true;
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !long.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long value))
        {
            return false;
        }

        switch (text.AsSpan(0, colon))
        {
            case "offset":
                start = AtOffset(value);
                return true;
            case "time":
                start = AtTime(value);
                return true;
            default:
                return false;
        }
    }

    public override string ToString() => Kind switch
    {
        StartKind.Earliest => "earliest",
        StartKind.Latest => "latest",
        StartKind.Offset => $"offset:{Value}",
        _ => $"time:{Value}",
    };
}
