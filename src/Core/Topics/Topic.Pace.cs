namespace Danube.Fast.Core;

// Publish rate: what producers may publish is bounded by their windows, so a window that opens at the rate slows them to it.
public sealed partial class Topic
{
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
