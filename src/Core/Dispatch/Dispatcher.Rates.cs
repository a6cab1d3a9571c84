namespace Danube.Fast.Core;

// The topic's dispatch rate, for each subscription its own. All under the subscription's lock.
internal sealed partial class Dispatcher
{
    private TokenBucket _recordRate;
    private TokenBucket _byteRate;

    // What the rate lets through in this slice.
    private ulong _recordsAllowed = ulong.MaxValue;
    private ulong _bytesAllowed = ulong.MaxValue;

    private bool IsRateSpent => _recordsAllowed <= (ulong)_openSelected || _bytesAllowed <= (ulong)_openLength;

    /// <summary>False when the rate is spent; a timer calls again when it is not.</summary>
    private bool ReadRate()
    {
        TopicOptions options = _topic.Options;
        if (options.DispatchRateMessages == 0 && options.DispatchRateBytes == 0)
        {
            _recordsAllowed = _bytesAllowed = ulong.MaxValue;
            return true;
        }

        long now = _topic.Time.GetTimestamp(), frequency = _topic.Time.TimestampFrequency;
        _recordsAllowed = _recordRate.Available(options.DispatchRateMessages, now, frequency);
        _bytesAllowed = _byteRate.Available(options.DispatchRateBytes, now, frequency);
        if (!IsRateSpent)
        {
            return true;
        }

        ArmTimer(now, now + Math.Max(_recordRate.TimeToToken(options.DispatchRateMessages, frequency), _byteRate.TimeToToken(options.DispatchRateBytes, frequency)));
        return false;
    }

    private void SpendRate(long records, long bytes)
    {
        if (_recordsAllowed != ulong.MaxValue)
        {
            _recordRate.Take(_topic.Options.DispatchRateMessages, records);
            _recordsAllowed -= Math.Min(_recordsAllowed, (ulong)records);
        }

        if (_bytesAllowed != ulong.MaxValue)
        {
            _byteRate.Take(_topic.Options.DispatchRateBytes, bytes);
            _bytesAllowed -= Math.Min(_bytesAllowed, (ulong)bytes);
        }
    }
}
