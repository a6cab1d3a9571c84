namespace Danube.Fast.Wal.Tests;

/// <summary>A clock that the test moves.</summary>
internal sealed class TestClock : TimeProvider
{
    private long _ticks = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public long NowMicros => (Volatile.Read(ref _ticks) - DateTime.UnixEpoch.Ticks) / 10;

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

    public override DateTimeOffset GetUtcNow() => new(Volatile.Read(ref _ticks), TimeSpan.Zero);

    public override long GetTimestamp() => Volatile.Read(ref _ticks);
}
