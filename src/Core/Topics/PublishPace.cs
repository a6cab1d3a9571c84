namespace Danube.Fast.Core;

/// <summary>
/// The rate at which a topic acknowledges: two token buckets that hold a tenth of a second and may be overdrawn by one frame, so
/// frames of any size pass and the average is kept. Not thread-safe. Runs on: the one thread that drains acknowledgements.
/// </summary>
internal sealed class PublishPace(TimeProvider time, long messagesPerSecond, long bytesPerSecond)
{
    private const double BurstSeconds = 0.1;

    private double _messages = messagesPerSecond * BurstSeconds;
    private double _bytes = bytesPerSecond * BurstSeconds;
    private long _refilledAt = time.GetTimestamp();

    public long MessagesPerSecond => messagesPerSecond;

    public long BytesPerSecond => bytesPerSecond;

    /// <summary>The next frame may be acknowledged.</summary>
    public bool IsOpen => (messagesPerSecond == 0 || _messages > 0) && (bytesPerSecond == 0 || _bytes > 0);

    /// <summary>The pace of these options, or null when they set no rate.</summary>
    public static PublishPace? Of(TopicOptions options, TimeProvider time) => options.PublishRateMessages > 0 || options.PublishRateBytes > 0
        ? new PublishPace(time, options.PublishRateMessages, options.PublishRateBytes)
        : null;

    public void Refill()
    {
        long now = time.GetTimestamp();
        double seconds = time.GetElapsedTime(_refilledAt, now).TotalSeconds;
        _refilledAt = now;
        _messages = Math.Min(_messages + (seconds * messagesPerSecond), messagesPerSecond * BurstSeconds);
        _bytes = Math.Min(_bytes + (seconds * bytesPerSecond), bytesPerSecond * BurstSeconds);
    }

    public void Take(long messages, long bytes)
    {
        _messages -= messages;
        _bytes -= bytes;
    }

    /// <summary>Seconds of the rate that so much is worth.</summary>
    public double SecondsOf(long messages, long bytes) => Math.Max(
        messagesPerSecond > 0 ? messages / (double)messagesPerSecond : 0, bytesPerSecond > 0 ? bytes / (double)bytesPerSecond : 0);

    /// <summary>Time until it is open again.</summary>
    public TimeSpan UntilOpen()
    {
        double messages = messagesPerSecond > 0 ? -_messages / messagesPerSecond : 0;
        double bytes = bytesPerSecond > 0 ? -_bytes / bytesPerSecond : 0;

        // One more millisecond: a timer that fires on the dot would find the bucket at zero.
        return TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(Math.Max(messages, bytes) * 1000) + 1, 1, 60_000));
    }
}
