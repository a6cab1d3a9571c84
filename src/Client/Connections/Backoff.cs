namespace Danube.Fast.Client;

/// <summary>Pauses between attempts: doubling, capped, and less a random part of up to a half, so that many clients do not come back at once.</summary>
internal struct Backoff(TimeSpan first, TimeSpan longest)
{
    private TimeSpan _next = first;

    public TimeSpan Next()
    {
        TimeSpan pause = _next;
        _next = pause * 2 < longest ? pause * 2 : longest;
        return pause * (1 - (Random.Shared.NextDouble() / 2));
    }
}
