namespace Danube.Fast.Protocol;

/// <summary>
/// Codes of error frames and close frames. On the wire an error carries the snake_case name
/// (<see cref="ErrorCodes.Name"/>), a close frame the number. Append-only.
/// </summary>
public enum ErrorCode : uint
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>The bytes are no frame.</summary>
    BadMagic = 1,

    /// <summary>The version is not 1 or 2, or 2 before HELLO.</summary>
    BadVersion = 2,

    /// <summary>An unknown frame type, or one that the sender may not send.</summary>
    BadType = 3,

    /// <summary>An unknown payload encoding, or not PLAIN in version 2.</summary>
    BadEncoding = 4,

    /// <summary>Reserved bytes or bits are set.</summary>
    ReservedNotZero = 5,

    /// <summary>Longer than HELLO agreed on, or longer than that after unpacking.</summary>
    FrameTooLarge = 6,

    /// <summary>The CRC of the header is wrong.</summary>
    BadHeaderCrc = 7,

    /// <summary>The CRC of the content is wrong.</summary>
    BadContentCrc = 8,

    /// <summary>The padding is not zero.</summary>
    BadPadding = 9,

    /// <summary>The records do not agree with count and lengths of their frame.</summary>
    BadRecords = 10,

    /// <summary>No compression has this number.</summary>
    UnknownCodec = 11,

    /// <summary>The payload cannot be read.</summary>
    BadPayload = 12,

    /// <summary>Something else came before HELLO.</summary>
    HelloRequired = 13,

    /// <summary>No HELLO came in time.</summary>
    HelloTimeout = 14,

    /// <summary>Both sides have no version in common.</summary>
    UnsupportedVersion = 15,

    /// <summary>The channel was never open on this connection.</summary>
    UnknownChannel = 16,

    /// <summary>There is no such command.</summary>
    UnknownRequest = 17,

    /// <summary>The payload of a request, or the use of a channel, is wrong.</summary>
    BadRequest = 18,

    /// <summary>There is no such topic.</summary>
    TopicNotFound = 19,

    /// <summary>There is a topic of this name already.</summary>
    TopicExists = 20,

    /// <summary>A topic is named <c>/namespace/name</c>.</summary>
    BadTopicName = 21,

    /// <summary>The topic has no such subscription.</summary>
    SubscriptionNotFound = 22,

    /// <summary>Another consumer holds the exclusive subscription.</summary>
    SubscriptionBusy = 23,

    /// <summary>The subscription exists with another type.</summary>
    SubscriptionTypeMismatch = 24,

    /// <summary>Frames of the producer before this one are missing.</summary>
    SequenceGap = 25,

    /// <summary>The frame overlaps stored ones without repeating one.</summary>
    SequenceMismatch = 26,

    /// <summary>More unacknowledged bytes were sent than the window allows.</summary>
    WindowExceeded = 27,

    /// <summary>Another connection took over under the same name.</summary>
    Fenced = 28,

    /// <summary>Acknowledges what was not delivered, or in a way that the subscription type forbids.</summary>
    BadAck = 29,

    /// <summary>The disk of the broker is full.</summary>
    DiskFull = 30,

    /// <summary>The disk of the broker is nearly full: publishing waits for space.</summary>
    DiskLow = 31,

    /// <summary>The log of the topic had an I/O error.</summary>
    LogFailed = 32,

    /// <summary>The log is damaged there.</summary>
    DataDamaged = 33,

    /// <summary>The broker is shutting down.</summary>
    Draining = 34,

    /// <summary>The connection does not take what is sent.</summary>
    SlowConsumer = 35,

    /// <summary>Nothing was received for too long.</summary>
    IdleTimeout = 36,

    /// <summary>A limit of the broker is reached.</summary>
    LimitExceeded = 37,

    /// <summary>It cannot be done now; on the client also: there is no connection.</summary>
    Unavailable = 38,

    /// <summary>The broker failed, or the code is of a newer broker.</summary>
    Internal = 39,

    /// <summary>Another broker owns the topic.</summary>
    NotOwner = 40,

    /// <summary>The topic was deleted.</summary>
    TopicDeleted = 41,

    /// <summary>There is no such target.</summary>
    Unroutable = 42,

    /// <summary>The topic holds more unacknowledged data than it may.</summary>
    BacklogQuotaExceeded = 43,

    /// <summary>No answer came in time.</summary>
    TimedOut = 44,

    /// <summary>The credentials do not allow it.</summary>
    Unauthorized = 45,

    /// <summary>The line is no envelope in JSON.</summary>
    BadJsonLine = 46,

    /// <summary>The other side, or this one, has ended it.</summary>
    EndOfStream = 47,

    /// <summary>The frame cannot be unpacked.</summary>
    Undecodable = 48,

    /// <summary>The message is larger than the topic allows.</summary>
    MessageTooLarge = 49,

    /// <summary>The owner of the topic cannot prove at the moment that it still is: nothing is acknowledged until it can.</summary>
    OwnerUnproven = 50,

    /// <summary>The broker that has the topic's data is away, and nobody else can serve it.</summary>
    TopicWaiting = 51,
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
        or ErrorCode.SequenceGap or ErrorCode.OwnerUnproven or ErrorCode.TopicWaiting;

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
