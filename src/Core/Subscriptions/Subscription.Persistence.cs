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
    private long _savedMarkDelete;

    /// <summary>
    /// No start of this subscription, also after a crash, goes on below this offset: the mark-delete of the last state that was handed to the store, or the present one
    /// when that is lower.
    /// </summary>
    internal long SettledBelow
    {
        get
        {
            long now = MarkDelete;
            return IsSaved ? Math.Min(now, Volatile.Read(ref _savedMarkDelete)) : now;
        }
    }

    // The others start anew with every process.
    private bool IsSaved => !IsReader && Topic.Log.Durability != DurabilityClass.Memory;

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
            if (_removed || !IsSaved)
            {
                return;
            }

            var state = new ArrayBufferWriter<byte>(64);
            uint generation = Topic.CurrentGeneration();
            long markDelete;
            lock (Gate)
            {
                WriteState(state, generation);
                markDelete = Cursor.MarkDelete;
            }

            saved = Topic.Cursors.SaveDurableAsync(Topic.Log.TopicId, Name, state.WrittenMemory);
            Volatile.Write(ref _savedMarkDelete, markDelete);
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
            if (_removed || !IsSaved || !Cursor.IsDirty)
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
            long markDelete;
            lock (Gate)
            {
                WriteState(_state, generation);
                markDelete = Cursor.MarkDelete;
            }

            Topic.Cursors.Save(Topic.Log.TopicId, Name, _state.WrittenSpan);
            Volatile.Write(ref _savedMarkDelete, markDelete);
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
