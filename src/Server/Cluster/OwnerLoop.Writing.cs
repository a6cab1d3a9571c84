using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

// What the owner writes: many topics in one transaction. Each compares the session of this broker and the assignment as it was seen.
internal sealed partial class OwnerLoop
{
    /// <summary>Writes what was decided; true when there was something.</summary>
    private async Task<bool> WriteAsync(CancellationToken cancellationToken)
    {
        // What is to be written follows from what is known now: something may have been learnt since it was decided.
        (OwnedTopic Topic, Assignment Next)[] all = [.. _toWrite.Select(t => (t, NextOf(t))).Where(w => w.Item2 is not null)!];
        _toWrite.Clear();
        foreach ((OwnedTopic Topic, Assignment Next)[] batch in all.GroupBy(w => w.Next.Session).SelectMany(s => s.Chunk(AssignmentWrites.MaxTopics)))
        {
            await WriteAsync(batch, cancellationToken);
        }

        return all.Length > 0;
    }

    private async Task WriteAsync((OwnedTopic Topic, Assignment Next)[] batch, CancellationToken cancellationToken)
    {
        MetadataTransaction transaction = AssignmentWrites.Owner(_me, batch[0].Next.Session);
        foreach ((OwnedTopic topic, Assignment next) in batch)
        {
            topic.Rights.AddTo(transaction, next);
        }

        TransactionResult result = await _store.CommitAsync(transaction, cancellationToken);
        if (result.IsDone)
        {
            foreach ((OwnedTopic topic, Assignment next) in batch)
            {
                topic.Rights.OnWritten(next, result.Revision);
                OnWritten(topic, next);
            }

            return;
        }

        if (result.Outcome == MetadataOutcome.Refused)
        {
            await TakeRefusalAsync(batch, result, cancellationToken);
            return;
        }

        foreach ((OwnedTopic topic, Assignment next) in batch)
        {
            await ReadAsync(topic, cancellationToken);
            if (topic.Rights.Known is { } known && known.State == next.State && known.Session == next.Session && known.Epoch == next.Epoch && known.Owner == _me)
            {
                OnWritten(topic, known);
            }
            else
            {
                Decide(topic);
            }
        }
    }

    private async Task TakeRefusalAsync((OwnedTopic Topic, Assignment Next)[] batch, TransactionResult result, CancellationToken cancellationToken)
    {
        await LearnAsync([.. batch.Select(w => (w.Topic, result.Found(ClusterKeys.Assignment(w.Topic.Name)), result.Revision))], cancellationToken);
        if (result.Found(ClusterKeys.Member(_me))?.CreatedRevision == batch[0].Next.Session)
        {
            Array.ForEach(batch, w => Decide(w.Topic));
            return;
        }

        // The session has ended; membership finds that out, and the next one looks at everything.
        await Task.Delay(LookAgainAfter, cancellationToken);
    }

    /// <summary>
    /// Takes note of what the store certainly has now. When that is older than what was known, the store has gone back: the view is compared with it first. It would say
    /// again what was lost; and what it knew tells which epochs clients have seen.
    /// </summary>
    private async Task LearnAsync((OwnedTopic Topic, MetadataEntry? Entry, long AsOf)[] found, CancellationToken cancellationToken)
    {
        if (Array.Exists(found, f => f.Topic.Rights.IsAheadOf(f.Entry, f.AsOf)))
        {
            await _view.CompareAsync(cancellationToken);
        }

        Array.ForEach(found, f => f.Topic.Rights.ObserveNow(f.Entry, f.AsOf));
    }

    private void OnWritten(OwnedTopic topic, Assignment written)
    {
        switch (written.State)
        {
            case AssignmentState.Serving when topic.Phase == OwnerPhase.Prepared:
                Activate(topic, written);
                break;
            case AssignmentState.Released when topic.Phase == OwnerPhase.Stopped:
                Forget(topic);
                if (!_actions.IsDeleting(topic.Name, written.TopicId))
                {
                    _actions.Discard(topic.Name, written.TopicId);
                }

                break;
        }

        // It may have been asked for in between.
        if (topic.Phase == OwnerPhase.Serving)
        {
            Decide(topic);
        }
    }

    /// <summary>Reads the assignment as it is now, however long that takes: nothing can be decided without it.</summary>
    private async Task ReadAsync(OwnedTopic topic, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                MetadataEntry? entry = await _store.GetAsync(ClusterKeys.Assignment(topic.Name), cancellationToken);
                await LearnAsync([(topic, entry, topic.Rights.KnownRevision + 1)], cancellationToken);
                return;
            }
            catch (IOException)
            {
                await Task.Delay(LookAgainAfter, cancellationToken);
            }
        }
    }
}
