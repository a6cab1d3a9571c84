namespace Danube.Fast.Server.Cluster;

/// <summary>
/// Which owners the leader has asked for which topics, when, and how often in vain: an owner that cannot give a topic up now may be able to later,
/// and is asked again after longer and longer pauses.
/// Runs on: the leader's loop. Shared with: nobody.
/// </summary>
internal sealed class ReleaseRequests(TimeProvider clock)
{
    /// <summary>How long a request stands before it was in vain.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Pause after the first request that was in vain, counted from the request; each later one is twice as long.</summary>
    public static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(60);

    /// <summary>Longest pause.</summary>
    public static readonly TimeSpan AskAgainAtMost = TimeSpan.FromMinutes(5);

    // More doublings than the longest pause has room for.
    private const int MaxDoublings = 6;

    private readonly Dictionary<string, Request> _asked = new(StringComparer.Ordinal);

    /// <summary>A new leader knows of none.</summary>
    public void Clear() => _asked.Clear();

    /// <summary>The topic is wanted where it is.</summary>
    public void Forget(string topic) => _asked.Remove(topic);

    /// <summary>How often a topic was asked for.</summary>
    public int TimesOf(string topic) => _asked.GetValueOrDefault(topic).Times;

    /// <summary>True when it is time to ask for a topic: at once for one that is to be given up for good, whatever was asked before.</summary>
    public bool MayAsk(string topic, bool isForGood) => isForGood || !_asked.TryGetValue(topic, out Request asked)
        || clock.GetElapsedTime(asked.At) >= PauseAfter(asked.Times);

    /// <summary>Takes note of a request.</summary>
    public void OnAsked(string topic)
    {
        Request before = _asked.GetValueOrDefault(topic);
        _asked[topic] = new Request(clock.GetTimestamp(), before.Times + 1, before.At);
    }

    /// <summary>The last request was not written: what counts is the one before it.</summary>
    public void TakeBack(string topic)
    {
        if (!_asked.TryGetValue(topic, out Request asked) || asked.Times == 1)
        {
            _asked.Remove(topic);
        }
        else
        {
            _asked[topic] = new Request(asked.AtBefore, asked.Times - 1, asked.AtBefore);
        }
    }

    /// <summary>True when a request that stands was in vain; never one that is for good. A new leader counts from its first look.</summary>
    public bool IsInVain(string topic, bool isForGood)
    {
        if (!_asked.TryGetValue(topic, out Request asked))
        {
            OnAsked(topic);
            return false;
        }

        return !isForGood && clock.GetElapsedTime(asked.At) >= Limit;
    }

    private static TimeSpan PauseAfter(int times)
    {
        TimeSpan pause = AskAgainAfter * (1 << Math.Min(times - 1, MaxDoublings));
        return pause < AskAgainAtMost ? pause : AskAgainAtMost;
    }

    private readonly record struct Request(long At, int Times, long AtBefore);
}
