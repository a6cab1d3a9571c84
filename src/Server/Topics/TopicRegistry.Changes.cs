using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Topics;

/// <summary>Creating and deleting topics.</summary>
internal sealed partial class TopicRegistry
{
    /// <summary>Creates a topic, or a base topic with its partitions. Durable when it returns.</summary>
    public async Task<Answer<TopicEntry>> CreateAsync(TopicSpec spec, CancellationToken cancellationToken)
    {
        if (!TopicName.TryParse(spec.Topic, out TopicName? name))
        {
            return BadName(spec.Topic);
        }

        if (Check(spec) is { } refusal)
        {
            return refusal;
        }

        if (cluster is not null)
        {
            return await CreateInClusterAsync(name, spec, cancellationToken);
        }

        await _changes.WaitAsync(cancellationToken);
        try
        {
            int partitions = spec.Partitions ?? 1;
            if (state.IsDraining)
            {
                return BrokerState.DrainingRefusal;
            }

            if (_entries.ContainsKey(name.Full))
            {
                return new Refusal(ErrorCode.TopicExists, $"Topic {name} exists already.");
            }

            if (_entries.Count + (partitions > 1 ? partitions + 1 : 1) > options.Limits.MaxTopics)
            {
                return new Refusal(ErrorCode.LimitExceeded, $"The broker holds {_entries.Count} topics, the limit is {options.Limits.MaxTopics} (limits.max_topics): delete some first.");
            }

            if (CheckNamespace(name.Namespace, partitions) is { } full)
            {
                return full;
            }

            TopicDefinition definition = Define(name, spec);
            return partitions == 1 ? await CreateOneAsync(name, definition, cancellationToken) : await CreatePartitionedAsync(name, definition, partitions, cancellationToken);
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>Deletes a topic, or a base topic with its partitions: from the catalogue first, then the log.</summary>
    public async Task<Answer<TopicDefinition>> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        if (cluster is not null)
        {
            return await DeleteInClusterAsync(name, cancellationToken);
        }

        await _changes.WaitAsync(cancellationToken);
        try
        {
            if (!Find(name).TryGet(out TopicEntry? entry, out Refusal? refusal))
            {
                return refusal;
            }

            if (entry.Definition.PartitionOf is { } parent && _entries.ContainsKey(parent))
            {
                return new Refusal(ErrorCode.BadRequest, $"{entry.Name} is a partition of {parent}: delete {parent} as a whole.");
            }

            await DeleteOneAsync(entry);
            for (int i = 0; entry.Definition.IsBase && i < entry.Definition.Partitions; i++)
            {
                if (_entries.TryGetValue(entry.Name.PartitionTopic(i), out TopicEntry? partition))
                {
                    await DeleteOneAsync(partition);
                }
            }

            return entry.Definition;
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>Closes all topics: cursors saved, logs synced. Nothing is opened afterwards.</summary>
    public async Task CloseAsync()
    {
        foreach (TopicEntry entry in _entries.Values)
        {
            await entry.Gate.WaitAsync();
            try
            {
                entry.IsClosed = true;
                CloseOpen(entry, BrokerState.DrainingRefusal.Message, ErrorCode.Draining);
            }
            catch (Exception e)
            {
                // The others must be saved all the same.
                Log.HousekeepingFailed(log, e, entry.Name.Full);
            }
            finally
            {
                entry.Gate.Release();
            }
        }
    }

    private Refusal? Check(TopicSpec spec)
    {
        if (spec.Durability is not null && !DurabilityNames.TryParse(spec.Durability, out _))
        {
            return new Refusal(ErrorCode.BadRequest, $"Durability '{Shorten(spec.Durability)}' is unknown: use fsync, os or memory.");
        }

        if (spec.Partitions is { } partitions && (partitions < 1 || partitions > options.Limits.MaxPartitionsPerTopic))
        {
            return new Refusal(ErrorCode.BadRequest, $"A topic has 1 to {options.Limits.MaxPartitionsPerTopic} partitions, not {partitions}.");
        }

        return TopicPolicies.Check(spec);
    }

    // Topics with a log: a partitioned topic counts by its partitions, its base does not; of creations that run together each counts the others.
    private Refusal? CheckNamespace(string ns, int coming, int underWay = 0)
    {
        if (!_namespaces.TryGetValue(ns, out NamespaceSpec? spec) || spec.MaxTopics is not > 0)
        {
            return null;
        }

        int count = underWay + _entries.Values.Count(e => e.Name.Namespace == ns && !e.Definition.IsBase);
        return count + coming <= spec.MaxTopics
            ? null
            : NamespaceRoom.Full(ns, count, spec.MaxTopics.Value);
    }

    /// <summary>Most topics of a namespace, partitions counted one by one; 0 = without limit.</summary>
    public int MaxTopicsOf(string ns) => _namespaces.GetValueOrDefault(ns)?.MaxTopics ?? 0;

    private TopicDefinition Define(TopicName name, TopicSpec spec) => new()
    {
        Topic = name.Full,
        Durability = spec.Durability ?? DurabilityNames.Name(options.Topics.Durability),
        Partitions = spec.Partitions ?? 1,
        Policy = TopicPolicies.Own(spec),
    };

    // The base comes last: until it is there nobody can have published. Partitions without a base are what a crash has left of a create or of a
    // delete; the latter hold messages that must not come back, so both are made anew.
    private async Task<Answer<TopicEntry>> CreatePartitionedAsync(TopicName name, TopicDefinition definition, int partitions, CancellationToken cancellationToken)
    {
        for (int i = 0; i < partitions; i++)
        {
            TopicName.TryParse(name.PartitionTopic(i), out TopicName? partition);
            if (partition is null)
            {
                return BadName(name.PartitionTopic(i));
            }

            if (_entries.TryGetValue(partition.Full, out TopicEntry? existing))
            {
                if (existing.Definition.PartitionOf != name.Full)
                {
                    return new Refusal(ErrorCode.TopicExists, $"Topic {partition} exists already and is no partition of {name}.");
                }

                await DeleteOneAsync(existing);
            }

            Answer<TopicEntry> created = await CreateOneAsync(partition, definition with { Topic = partition.Full, Partitions = 1, PartitionOf = name.Full }, cancellationToken);
            if (created.Refusal is not null)
            {
                return created;
            }
        }

        return await CreateOneAsync(name, definition, cancellationToken);
    }

    private async Task<Answer<TopicEntry>> CreateOneAsync(TopicName name, TopicDefinition definition, CancellationToken cancellationToken)
    {
        TopicEntry entry;
        if (definition.IsBase)
        {
            entry = new TopicEntry(name, definition, []);
        }
        else
        {
            definition = definition with { TopicId = await single!.NextTopicIdAsync(_highestIdFound, cancellationToken) };
            LogStore store = StoreOf(definition);
            TopicPolicy policy = EffectivePolicy(name, definition);
            TopicLog topicLog = await Task.Run(() => store.Create(definition.TopicId, definition.Class, TopicPolicies.ToRetention(policy)), cancellationToken);
            entry = new TopicEntry(name, definition, []) { Topic = new Topic(name.Full, topicLog, store.Cursors, OptionsOf(policy), time) };
        }

        if (!await single!.AddTopicAsync(definition, cancellationToken))
        {
            Discard(entry);
            return new Refusal(ErrorCode.TopicExists, $"Topic {name} exists already.");
        }

        _entries[name.Full] = entry;
        OpenTopicsChanged();
        Log.TopicCreated(log, name.Full, definition.TopicId, definition.Durability);
        return entry;
    }

    private async Task DeleteOneAsync(TopicEntry entry)
    {
        await entry.Gate.WaitAsync();
        try
        {
            await single!.RemoveTopicAsync(entry.Definition, entry.Subscriptions.Keys);
            entry.IsClosed = true;
            _entries.TryRemove(entry.Name.Full, out _);
            requests.RemoveTopic(entry.Name.Full);
            Discard(entry);
            Log.TopicDeleted(log, entry.Name.Full);
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    private void Discard(TopicEntry entry)
    {
        if (entry.Definition.IsBase)
        {
            return;
        }

        CloseOpen(entry, $"Topic {entry.Name} was deleted.", ErrorCode.TopicDeleted);
        LogStore store = StoreOf(entry.Definition);
        store.Cursors.RemoveTopic(entry.Definition.TopicId);
        store.Delete(entry.Definition.TopicId);
    }
}
