namespace Danube.Fast.Core;

// Publish rate: what producers may publish is bounded by their windows, so a window that opens at the rate slows them to it. The pace is the topic's:
// what a producer leaves behind is paid for before the next ones get windows, so nobody gains by coming again.
public sealed partial class Topic
{
    private const double MaxOwedSeconds = 1;
    private const int MaxOwedEntries = 64 * 1024;

    private volatile PublishPace? _pace;
    private ITimer? _paceTimer;

    /// <summary>The pace of the current options, kept when the rates are the same.</summary>
    private void ApplyPace(TopicOptions options)
    {
        PublishPace? current = _pace;
        if (options.PublishRateMessages != (current?.MessagesPerSecond ?? 0) || options.PublishRateBytes != (current?.BytesPerSecond ?? 0))
        {
            _pace = PublishPace.Of(options, _time);

            // What the former rate holds back may be due.
            DrainAcks();
        }
    }

    /// <summary>True when the rate has yet to catch up with what former producers, or the former one with this id, have sent. Under the append lock.</summary>
    private bool IsOwed(ulong producerId, out string text)
    {
        text = "";
        if (_pace is not { } pace)
        {
            return false;
        }

        (int entries, long messages, long bytes) = _pendingAcks.Owed(producerId);
        double seconds = pace.SecondsOf(messages, bytes);
        if (seconds <= MaxOwedSeconds && entries <= MaxOwedEntries)
        {
            return false;
        }

        text = $"Topic {Name} takes {(seconds > MaxOwedSeconds ? Math.Ceiling((seconds - MaxOwedSeconds) * 1000) : 1000):0} ms to catch up with what producers have sent before they left "
            + "(publish_rate_messages, publish_rate_bytes): connect again then.";
        return true;
    }

    /// <summary>Drains on when the next acknowledgement is due. By the draining thread only.</summary>
    private void DrainLater(PublishPace pace)
    {
        if (_closed != 0)
        {
            return;
        }

        if (_paceTimer is null)
        {
            _paceTimer = _time.CreateTimer(static state => ((Topic)state!).DrainAcks(), this, pace.UntilOpen(), Timeout.InfiniteTimeSpan);
        }
        else
        {
            _paceTimer.Change(pace.UntilOpen(), Timeout.InfiniteTimeSpan);
        }
    }
}
