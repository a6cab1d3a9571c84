using Danube.Fast.Metadata;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// Records of new topics: those that come while a transaction is under way go into the next one together, so that a thousand at once need a
/// few dozen transactions.
/// Runs on: control requests; one of them at a time writes for all. Shared with: all of them.
/// </summary>
internal sealed class TopicCreations(IMetadataStore store, NamespaceRoom room)
{
    // Kept free for the gates of namespaces: their keys twice.
    private const int GateBytes = NamespaceRoom.MaxGates * 2 * 1024;

    private readonly Lock _lock = new();
    private readonly Queue<Creation> _waiting = new();
    private bool _isWriting;

    /// <summary>Writes a record that must not be there yet, nor be about to be made anew.</summary>
    /// <returns>How that ended. Its value is what was, or may have been, written.</returns>
    /// <exception cref="IOException">The store did not answer.</exception>
    public Task<CreationResult> AddAsync(TopicDefinition definition)
    {
        var creation = new Creation(definition);
        lock (_lock)
        {
            _waiting.Enqueue(creation);
            if (_isWriting)
            {
                return creation.Done.Task;
            }

            _isWriting = true;
        }

        _ = WriteAllAsync();
        return creation.Done.Task;
    }

    private async Task WriteAllAsync()
    {
        while (Take() is { Count: > 0 } batch)
        {
            try
            {
                await WriteAsync(batch);
            }
            catch (Exception e)
            {
                batch.ForEach(c => c.Done.TrySetException(e)); // Those that were told already stay so.
            }
        }
    }

    private List<Creation> Take()
    {
        lock (_lock)
        {
            var batch = new List<Creation>();
            int bytes = 0;
            var names = new HashSet<string>(StringComparer.Ordinal);
            while (batch.Count < ClusterCatalog.BatchTopics && _waiting.TryPeek(out Creation? next))
            {
                // A transaction writes a key once; the second of two of one name is to meet the first.
                bytes += next.MostBytes;
                if (batch.Count > 0 && (bytes > MetadataTransaction.MaxBytes - GateBytes || names.Contains(next.Definition.Topic)))
                {
                    break;
                }

                names.Add(next.Definition.Topic);
                batch.Add(_waiting.Dequeue());
            }

            _isWriting = batch.Count > 0;
            return batch;
        }
    }

    private async Task WriteAsync(List<Creation> waiting)
    {
        while (waiting.Count > 0)
        {
            (List<NamespaceGate> gates, List<Creation> batch) = await AdmitAsync(waiting);
            if (batch.Count == 0)
            {
                continue;
            }

            var transaction = new MetadataTransaction();
            gates.ForEach(g => g.AddTo(transaction));
            for (int slot = 0; slot < batch.Count; slot++)
            {
                Creation creation = batch[slot];
                creation.Value = TopicRecords.Encode(creation.Definition with { Slot = slot == 0 ? null : slot });
                creation.Slot = slot;
                transaction.IfAbsent(creation.Key).IfAbsent(creation.Remake).Put(creation.Key, creation.Value);
            }

            TransactionResult result = await store.CommitAsync(transaction);

            // Those that are in the way of the others are told; the others try again without them. So do all when somebody else has created in a namespace since it was counted.
            HashSet<string>? there = result.Outcome == MetadataOutcome.Refused ? [.. result.Entries.Select(e => e.Key)] : null;
            List<Creation> again = there is null ? [] : batch.FindAll(c => !there.Contains(c.Key) && !there.Contains(c.Remake));
            again = again.Count == batch.Count && !gates.Exists(g => g.IsPassed(result)) ? [] : again;
            foreach (Creation creation in batch.Except(again))
            {
                creation.Done.TrySetResult(new CreationResult(result.Outcome, result.Revision, creation.Slot, creation.Value, result.Found(creation.Key)));
                waiting.Remove(creation);
            }
        }
    }

    /// <summary>Counts the namespaces with a limit, tells those for which there is no room, and chooses what goes into the next transaction.</summary>
    private async Task<(List<NamespaceGate> Gates, List<Creation> Batch)> AdmitAsync(List<Creation> waiting)
    {
        var gates = new List<NamespaceGate>();
        var batch = new List<Creation>();
        foreach (IGrouping<string, Creation> same in waiting.GroupBy(c => c.Namespace, StringComparer.Ordinal).ToArray())
        {
            int limit = room.MaxTopicsOf(same.Key);
            if (limit <= 0)
            {
                batch.AddRange(same);
            }
            else if (gates.Count < NamespaceRoom.MaxGates)
            {
                NamespaceGate gate = await room.CountAsync(same.Key, limit);
                gates.Add(gate);
                foreach (Creation creation in same)
                {
                    if (gate.Take(room.NeededFor(creation.Definition)) is { } full)
                    {
                        creation.Done.TrySetResult(new CreationResult(MetadataOutcome.Refused, 0, 0, creation.Value, null, full));
                        waiting.Remove(creation);
                    }
                    else
                    {
                        batch.Add(creation);
                    }
                }
            }
        }

        return (gates, batch);
    }

    private sealed class Creation(TopicDefinition definition)
    {
        public TopicDefinition Definition { get; } = definition;

        public string Key { get; } = ClusterKeys.Topic(definition.Topic);

        public string Namespace { get; } = definition.Topic.Split('/')[1];

        public string Remake { get; } = ClusterKeys.Remakes + definition.Topic[1..];

        public int Slot { get; set; }

        public byte[] Value { get; set; } = [];

        // Both keys twice, the value and what each of them is counted with beside itself.
        public int MostBytes { get; } = TopicRecords.Encode(definition).Length + (8 * definition.Topic.Length) + (5 * MetadataTransaction.OverheadBytes);

        public TaskCompletionSource<CreationResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>How the record of a new topic was written.</summary>
/// <param name="Outcome">Done, refused (something is there) or unknown.</param>
/// <param name="Revision">Done: the revision that made it.</param>
/// <param name="Slot">Its place in the transaction.</param>
/// <param name="Value">The record.</param>
/// <param name="There">Refused: the topic's record that is there; null when the topic is about to be made anew.</param>
/// <param name="Full">Refused before anything was written, because its namespace has no room.</param>
internal readonly record struct CreationResult(MetadataOutcome Outcome, long Revision, int Slot, byte[] Value, MetadataEntry? There, Refusal? Full = null);
