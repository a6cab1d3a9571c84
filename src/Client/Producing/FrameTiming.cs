namespace Danube.Fast.Client;

/// <summary>What a frame says about the time of its delivery; all records of a batch share it.</summary>
internal readonly record struct FrameTiming
{
    public static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(uint.MaxValue);

    public uint DelayMs { get; init; }

    /// <summary>Unix microseconds, 0 for none; becomes a delay when the frame is sealed.</summary>
    public long DeliverAtMicros { get; init; }
    public uint TimeToLiveSeconds { get; init; }

    public static uint ToDelay(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(delay, LongestDelay);
        return (uint)Math.Ceiling(delay.TotalMilliseconds);
    }

    public static uint ToSeconds(TimeSpan timeToLive)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timeToLive, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(timeToLive, TimeSpan.FromSeconds(uint.MaxValue));
        return (uint)Math.Ceiling(timeToLive.TotalSeconds);
    }

    /// <summary>The delay of a frame that is sealed at <paramref name="nowMicros"/>, milliseconds rounded up.</summary>
    public uint DelayAt(long nowMicros) =>
        DeliverAtMicros == 0 ? DelayMs : (uint)Math.Clamp((DeliverAtMicros - nowMicros + 999) / 1000, 0, uint.MaxValue);
}
