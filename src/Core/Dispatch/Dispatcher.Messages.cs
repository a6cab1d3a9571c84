using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// Messages in chunks on shared subscriptions, from their first chunk read to their last. All under the subscription's lock.
internal sealed partial class Dispatcher
{
    // Producers with a message that has no end yet. Beyond it the oldest is taken for one that will never have one.
    private const int MaxOpenMessages = 1024;

    private readonly Dictionary<ulong, ActiveKey> _openMessages = [];

    /// <summary>
    /// A chunk was read: the consumer of its message stays the same until the last one is, or until the producer begins another. Otherwise
    /// a consumer that acknowledges chunk by chunk would lose the message in its middle.
    /// </summary>
    private void NoteChunk(StreamHeader header, ulong hash)
    {
        bool wasOpen = _openMessages.TryGetValue(header.ProducerId, out ActiveKey? former);
        ActiveKey? key = _keys!.Find(hash);
        bool staysOpen = key is not null && (header.Flags & FrameFlags.ChunkEnd) == 0;
        if (wasOpen && (!staysOpen || !ReferenceEquals(former, key)))
        {
            EndMessage(header.ProducerId, former!);
        }

        if (staysOpen && !key!.IsOpen)
        {
            if (_openMessages.Count == MaxOpenMessages)
            {
                (ulong oldest, ActiveKey message) = _openMessages.First();
                EndMessage(oldest, message);
            }

            key.IsOpen = true;
            _openMessages.Add(header.ProducerId, key);
        }
    }

    private void EndMessage(ulong producerId, ActiveKey message)
    {
        _openMessages.Remove(producerId);
        message.IsOpen = false;
        _keys!.Release(message);
    }
}
