using System.Buffers;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

public sealed partial class Subscription
{
    // A larger buffer than this is not kept between two saves.
    private const int KeptStateBytes = 16 * 1024;

    // A cursor with a million ranges takes megabytes: saved every tenth of a second it would fill the disk, so it waits for its share of this.
    private const long SavedBytesPerSecond = 1024 * 1024;

    // Held from taking the state to handing it to the store, so that an older state never follows a newer one.
    private readonly Lock _saving = new();
    private ArrayBufferWriter<byte>? _state;
    private bool _removed;
    private long _nextSave = long.MinValue;

    /// <summary>Goes to another position: a new epoch, everything before it acknowledged, everything behind it not. Durable when it returns;
    /// when it throws, the position may have been moved for this process only, and the consumers were closed.</summary>
    /// <exception cref="ObjectDisposedException">The subscription or its topic is closed.</exception>
    public async ValueTask<SeekReply> SeekAsync(StartPosition to, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        long offset = await Topic.ResolveAsync(to).ConfigureAwait(false);
        Topic.Starts.Count(to.Kind);
        SeekReply reply;
        uint epoch;
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(_closedWith != ErrorCode.None, this);
            NoteSeek(offset);
            foreach (Consumer consumer in _consumers)
            {
                consumer.InFlight.Clear();
            }

            Cursor.Reset(offset);
            _dispatcher.ForgetDelivered();
            epoch = StartEpoch();
            reply = new SeekReply { SubscriptionEpoch = Cursor.Epoch, MarkDelete = offset };
        }

        try
        {
            await SaveDurableAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            OnEpochNotSaved(epoch, error);
            throw;
        }
        finally
        {
            ReleaseDispatcher();
        }

        return reply;
    }

    /// <summary>Saves the cursor and completes when it is on disk.</summary>
    internal async ValueTask SaveDurableAsync()
    {
        ValueTask saved;
        lock (_saving)
        {
            if (_removed || IsReader || Topic.Log.Durability == DurabilityClass.Memory)
            {
                return;
            }

            var state = new ArrayBufferWriter<byte>(64);
            uint generation = Topic.CurrentGeneration();
            lock (Gate)
            {
                WriteState(state, generation);
            }

            saved = Topic.Cursors.SaveDurableAsync(Topic.Log.TopicId, Name, state.WrittenMemory);
        }

        try
        {
            await saved.ConfigureAwait(false);
        }
        catch
        {
            lock (Gate)
            {
                Cursor.IsDirty = true;
            }

            throw;
        }
    }

    /// <summary>Saves the cursor if it has changed; nobody waits for the disk.</summary>
    /// <param name="isLast">False: a long state is saved no more often than <see cref="SavedBytesPerSecond"/> allows.</param>
    internal void FlushCursor(bool isLast = false)
    {
        lock (_saving)
        {
            // Read without the lock: whoever changes the cursor at this moment is served by the next call.
            if (_removed || IsReader || !Cursor.IsDirty || Topic.Log.Durability == DurabilityClass.Memory)
            {
                return;
            }

            long now = Topic.Time.GetTimestamp();
            if (now < _nextSave && !isLast)
            {
                return;
            }

            _state ??= new ArrayBufferWriter<byte>(64);
            _state.ResetWrittenCount();
            uint generation = Topic.CurrentGeneration();
            lock (Gate)
            {
                WriteState(_state, generation);
            }

            Topic.Cursors.Save(Topic.Log.TopicId, Name, _state.WrittenSpan);
            _nextSave = now + ToTimestamp(_state.WrittenCount * 1000L / SavedBytesPerSecond);
            if (_state.Capacity > KeptStateBytes)
            {
                _state = null;
            }
        }
    }

    /// <summary>Deletes the cursor; consumers' channels are closed.</summary>
    internal void Remove()
    {
        Close(ErrorCode.SubscriptionNotFound, $"Subscription {Name} was deleted.");
        lock (_saving)
        {
            _removed = true;
            Topic.Cursors.Remove(Topic.Log.TopicId, Name);
        }
    }

    private void WriteState(IBufferWriter<byte> output, uint generation)
    {
        Cursor.Generation = generation;
        Cursor.IsDirty = false;
        CursorCodec.Write(output, Cursor, Type);
    }
}
