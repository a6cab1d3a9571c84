namespace Danube.Fast.Core;

/// <summary>
/// A rate limit: tokens come in steadily, a fifth of a second's worth and one are kept at most (a timer may come late), and what is
/// taken beyond goes into debt. Under the subscription's lock.
/// </summary>
internal struct TokenBucket
{
    private double _tokens;
    private long _last;

    /// <summary>Tokens that may be taken now; <see cref="ulong.MaxValue"/> without a rate.</summary>
    /// <param name="rate">Tokens per second; 0 = without limit.</param>
    /// <param name="now">Timestamp.</param>
    /// <param name="frequency">Timestamps per second.</param>
    public ulong Available(long rate, long now, long frequency)
    {
        if (rate <= 0)
        {
            _last = 0;
            return ulong.MaxValue;
        }

        _tokens = _last == 0 ? Math.Max(1, rate / 10.0) : Math.Min(1 + (rate / 5.0), _tokens + ((now - _last) * (double)rate / frequency));
        _last = now;
        return _tokens < 1 ? 0 : (ulong)_tokens;
    }

    public void Take(long rate, long tokens) => _tokens -= rate > 0 ? tokens : 0;

    /// <summary>Timestamps until there is a token.</summary>
    public readonly long TimeToToken(long rate, long frequency) => rate <= 0 || _tokens >= 1 ? 0 : (long)Math.Ceiling((1 - _tokens) * frequency / rate);
}
