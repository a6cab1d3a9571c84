using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// Messages in chunks on shared subscriptions, from their first chunk read to their last. All under the subscription's lock.
internal sealed partial class Dispatcher
{
    // Messages that have no end yet. Beyond it the oldest is taken for one that will never have one.
    private const int MaxOpenMessages = 1024;

    // Oldest first.
    private readonly LinkedList<ActiveKey> _openMessages = new();

    // By producer, of those that are read in the order of the log: there a producer's messages follow one another.
    private readonly Dictionary<ulong, ActiveKey> _openOf = [];

    /// <summary>
    /// A chunk is sent for the first time, or waits for that: the consumer of its message stays the same until the last one has been, or until the producer begins
    /// another. Otherwise a consumer that acknowledges chunk by chunk would lose the message in its middle.
    /// </summary>
    /// <param name="header">Of the chunk.</param>
    /// <param name="hash">Names the message.</param>
    /// <param name="isNew">False: the chunk had been put aside, so it says nothing about what its producer sent after it.</param>
    private void NoteChunk(StreamHeader header, ulong hash, bool isNew)
    {
        ActiveKey? key = _keys!.Find(hash);
        if (isNew && _openOf.TryGetValue(header.ProducerId, out ActiveKey? former) && !ReferenceEquals(former, key))
        {
            EndMessage(former);
        }

        if (key is null)
        {
            return;
        }

        if ((header.Flags & FrameFlags.ChunkEnd) != 0)
        {
            EndMessage(key);
        }
        else if (!key.IsOpen)
        {
            OpenMessage(key, header.ProducerId, isNew);
        }
    }

    private void OpenMessage(ActiveKey key, ulong producerId, bool isNew)
    {
        if (_openMessages.Count == MaxOpenMessages)
        {
            EndMessage(_openMessages.First!.Value);
        }

        key.OpenOf = producerId;
        key.OpenNode ??= new LinkedListNode<ActiveKey>(key);
        _openMessages.AddLast(key.OpenNode);
        if (isNew)
        {
            _openOf[producerId] = key;
        }
    }

    private void EndMessage(ActiveKey key)
    {
        if (key.IsOpen)
        {
            _openMessages.Remove(key.OpenNode!);
            if (_openOf.TryGetValue(key.OpenOf, out ActiveKey? own) && ReferenceEquals(own, key))
            {
                _openOf.Remove(key.OpenOf);
            }

            _keys!.Release(key);
        }
    }

    private void ClearMessages()
    {
        _openMessages.Clear();
        _openOf.Clear();
    }
}
