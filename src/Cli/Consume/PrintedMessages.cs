using Danube.Fast.Client;

namespace Danube.Fast.Cli.Consume;

/// <summary>
/// Messages that are in the output buffer and not yet settled: an acknowledgement must not overtake the bytes, or a message
/// could be lost between here and the reader. Each is settled by itself: "all up to here" would take delayed messages and those in
/// back-off along, which nobody has seen. Runs on: the consume loop. Shared with: nobody.
/// </summary>
internal sealed class PrintedMessages(Consumer consumer, TimeSpan? nackDelay)
{
    private readonly List<Message> _waiting = [];

    public void Add(in Message message) => _waiting.Add(message);

    /// <summary>Acknowledges all, or gives all back with the delay; call when their bytes were handed over.</summary>
    public void Settle()
    {
        foreach (Message message in _waiting)
        {
            if (nackDelay is { } delay)
            {
                consumer.Nack(message, delay);
            }
            else
            {
                consumer.Ack(message);
            }
        }

        _waiting.Clear();
    }
}
