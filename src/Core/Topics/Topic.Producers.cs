using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

public sealed partial class Topic
{
    // Both under the append lock.
    private readonly Dictionary<ulong, Producer> _producers = [];
    private string _refusalText = "";
    private volatile ErrorCode _refusal;

    /// <summary>Producers whose sequences were forgotten since the topic was opened, because they were idle or too many.</summary>
    public long ProducersForgotten
    {
        get
        {
            lock (Log.AppendLock)
            {
                return Log.Producers.Dropped;
            }
        }
    }

    /// <summary>Producers attached.</summary>
    public int ProducerCount
    {
        get
        {
            lock (Log.AppendLock)
            {
                return _producers.Count;
            }
        }
    }

    /// <summary>
    /// Attaches a producer; a former one with the same id is fenced: its channel is closed and what it still sends is refused.
    /// On a topic that refuses publishing, or has not caught up with its publish rate, the producer is made, and refuses (<see cref="Producer.Refusal"/>).
    /// </summary>
    /// <param name="producerId">Id of the producer's name.</param>
    /// <param name="lastSequence">Last sequence the client knows to be acknowledged, 0 for a new one.</param>
    /// <param name="channel">Handle on the connection.</param>
    /// <param name="sink">Takes acknowledgements.</param>
    public Producer AttachProducer(ulong producerId, ulong lastSequence, uint channel, IFrameSink sink)
    {
        Producer? former;
        Producer producer;
        lock (Log.AppendLock)
        {
            bool isOwed = IsOwed(producerId, out string owedText);
            ulong last = isOwed ? Log.Producers.LastSequence(producerId) : Log.Producers.Attach(producerId, lastSequence, NowMicros());
            producer = new Producer(this, producerId, channel, sink, last);
            former = null;
            if (!isOwed && _producers.Remove(producerId, out former))
            {
                former.Refuse(ErrorCode.Fenced, "Another connection has opened a producer with this name on the topic; give each producer a name of its own.");
            }

            if (_refusal != ErrorCode.None)
            {
                producer.Refuse(_refusal, _refusalText);
            }
            else if (isOwed)
            {
                producer.Refuse(ErrorCode.LimitExceeded, owedText);
            }
            else if (Options.MaxProducers is > 0 and int most && _producers.Count >= most)
            {
                producer.Refuse(ErrorCode.LimitExceeded, $"Topic {Name} has {_producers.Count} producers, the most it takes (max_producers): close one, or raise the limit.");
            }
            else
            {
                _producers.Add(producerId, producer);
            }
        }

        former?.SendClose();
        return producer;
    }

    /// <summary>Refuses further publishing; each producer's channel is closed once what it sent is acknowledged.</summary>
    public void StopProducers(ErrorCode code, string text)
    {
        Producer[] producers = RefuseProducers(code, text);

        // Otherwise the acknowledgement of its last frame closes a draining producer: the drainer lowers the figure and then
        // reads the refusal, here the refusal is set and then the figure is read, so one of the two closes it.
        Interlocked.MemoryBarrier();
        foreach (Producer producer in producers)
        {
            if (!producer.IsFinishing || producer.UnacknowledgedBytes == 0)
            {
                producer.SendClose();
            }
        }

        // What the publish rate holds back is due now.
        DrainAcks();
    }

    internal void DetachProducer(Producer producer)
    {
        lock (Log.AppendLock)
        {
            producer.Refuse(ErrorCode.UnknownChannel, "The producer was closed.");
            if (_producers.TryGetValue(producer.Id, out Producer? current) && ReferenceEquals(current, producer))
            {
                _producers.Remove(producer.Id);
            }
        }
    }

    private Producer[] RefuseProducers(ErrorCode code, string text)
    {
        lock (Log.AppendLock)
        {
            if (_refusal == ErrorCode.None)
            {
                _refusalText = text;
                _refusal = code;
            }

            Producer[] producers = [.. _producers.Values];
            _producers.Clear();
            foreach (Producer producer in producers)
            {
                producer.Refuse(code, text);
            }

            return producers;
        }
    }
}
