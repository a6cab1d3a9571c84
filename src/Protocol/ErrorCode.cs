namespace Danube.Fast.Protocol;

/// <summary>
/// Codes of error frames and close frames. On the wire an error carries the snake_case name
/// (<see cref="ErrorCodes.Name"/>), a close frame the number. Append-only.
/// </summary>
public enum ErrorCode : uint
{
    None = 0,
    BadMagic = 1,
    BadVersion = 2,
    BadType = 3,
    BadEncoding = 4,
    ReservedNotZero = 5,
    FrameTooLarge = 6,
    BadHeaderCrc = 7,
    BadContentCrc = 8,
    BadPadding = 9,
    BadRecords = 10,
    UnknownCodec = 11,
    BadPayload = 12,
    HelloRequired = 13,
    HelloTimeout = 14,
    UnsupportedVersion = 15,
    UnknownChannel = 16,
    UnknownRequest = 17,
    BadRequest = 18,
    TopicNotFound = 19,
    TopicExists = 20,
    BadTopicName = 21,
    SubscriptionNotFound = 22,
    SubscriptionBusy = 23,
    SubscriptionTypeMismatch = 24,
    SequenceGap = 25,
    SequenceMismatch = 26,
    WindowExceeded = 27,
    Fenced = 28,
    BadAck = 29,
    DiskFull = 30,
    DiskLow = 31,
    LogFailed = 32,
    DataDamaged = 33,
    Draining = 34,
    SlowConsumer = 35,
    IdleTimeout = 36,
    LimitExceeded = 37,
    Unavailable = 38,
    Internal = 39,
    NotOwner = 40,
    TopicDeleted = 41,
    Unroutable = 42,
    BacklogQuotaExceeded = 43,
    TimedOut = 44,
    Unauthorized = 45,
    BadJsonLine = 46,
    EndOfStream = 47,
    Undecodable = 48,
    MessageTooLarge = 49,
}

/// <summary>Wire names and retry rules of <see cref="ErrorCode"/>.</summary>
public static class ErrorCodes
{
    private static readonly string[] Names = BuildNames();
    private static readonly Dictionary<string, ErrorCode> ByName = BuildIndex();

    /// <summary>The snake_case name on the wire, for example <c>sequence_gap</c>.</summary>
    public static string Name(ErrorCode code) => (uint)code < (uint)Names.Length ? Names[(uint)code] : "internal";

    /// <summary>The code of a wire name; <see cref="ErrorCode.Internal"/> for names of a newer peer.</summary>
    public static ErrorCode Parse(string? name) =>
        name is not null && ByName.TryGetValue(name, out ErrorCode code) ? code : ErrorCode.Internal;

    /// <summary>True when the same request can succeed later without being changed.</summary>
    public static bool IsRetryable(ErrorCode code) => code is ErrorCode.DiskFull or ErrorCode.DiskLow or ErrorCode.Draining
        or ErrorCode.LimitExceeded or ErrorCode.Unavailable or ErrorCode.NotOwner or ErrorCode.SubscriptionBusy
        or ErrorCode.BacklogQuotaExceeded or ErrorCode.TimedOut or ErrorCode.SlowConsumer or ErrorCode.IdleTimeout
        or ErrorCode.SequenceGap;

    private static string[] BuildNames()
    {
        ErrorCode[] codes = Enum.GetValues<ErrorCode>();
        var names = new string[(int)codes.Max() + 1];
        foreach (ErrorCode code in codes)
        {
            names[(int)code] = ToSnakeCase(code.ToString());
        }

        return names;
    }

    private static Dictionary<string, ErrorCode> BuildIndex()
    {
        var index = new Dictionary<string, ErrorCode>(StringComparer.Ordinal);
        for (int i = 0; i < Names.Length; i++)
        {
            index[Names[i]] = (ErrorCode)i;
        }

        return index;
    }

    private static string ToSnakeCase(string name)
    {
        var text = new System.Text.StringBuilder();
        foreach (char c in name)
        {
            if (char.IsUpper(c) && text.Length > 0)
            {
                text.Append('_');
            }

            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }
}
