using Danube.Fast.Core;

namespace Danube.Fast.Wal;

/// <summary>Cursors in the cursor log. A saved state is in memory at once and on the disk with the next sync. Runs on: any thread.</summary>
internal sealed class DurableCursorStore : CursorStore
{
    private readonly StateStore _store;
    private readonly Committer _committer;
    private readonly CursorCommit _work;

    public DurableCursorStore(StateStore store, Committer committer)
    {
        _store = store;
        _committer = committer;
        _work = new CursorCommit(store.Records);
    }

    /// <summary>The last error of a sync, null once one has succeeded.</summary>
    public Exception? Failure => _work.Failure;

    public override byte[]? Load(ulong topicId, string subscription) => _store.Records.Get(StateStore.CursorKey(topicId, subscription));

    public override void Save(ulong topicId, string subscription, ReadOnlySpan<byte> state) =>
        _store.Records.Append(StateStore.CursorKey(topicId, subscription), state);

    public override ValueTask SaveDurableAsync(ulong topicId, string subscription, ReadOnlyMemory<byte> state)
    {
        _store.Records.Append(StateStore.CursorKey(topicId, subscription), state.Span);
        Task synced = _work.WaitAsync();
        _committer.Request(_work);
        return new ValueTask(synced);
    }

    public override void Remove(ulong topicId, string subscription) => _store.Records.Remove(StateStore.CursorKey(topicId, subscription));

    public override void RemoveTopic(ulong topicId) => _store.RemoveCursors(topicId);

    /// <summary>Syncs what was saved, on the committer. Runs on: the janitor.</summary>
    internal void Flush()
    {
        if (_store.Records.HasPending)
        {
            _committer.Request(_work);
        }
    }
}
