using Danube.Fast.Client;

namespace Danube.Fast.Cli.Consume;

/// <summary>
/// Messages that are in the output buffer and not yet settled: an acknowledgement must not overtake the bytes, or a message
/// could be lost between here and the reader. Runs on: the consume loop. Shared with: nobody.
/// </summary>
internal sealed class PrintedMessages(Consumer consumer, bool cumulative, TimeSpan? nackDelay)
{
    private readonly List<MessageId> _waiting = [];

    public void Add(MessageId id)
    {
        if (cumulative && _waiting.Count > 0 && _waiting[^1].Partition == id.Partition)
        {
            _waiting[^1] = id;
        }
        else
        {
            _waiting.Add(id);
        }
    }

    /// <summary>Acknowledges all, or gives all back with the delay; call when their bytes were handed over.</summary>
    public void Settle()
    {
        foreach (MessageId id in _waiting)
        {
            if (nackDelay is { } delay)
            {
                consumer.Nack(id, delay);
            }
            else if (cumulative)
            {
                consumer.AckCumulative(id);
            }
            else
            {
                consumer.Ack(id);
            }
        }

        _waiting.Clear();
    }
}
