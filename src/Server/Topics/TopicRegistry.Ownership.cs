using System.Globalization;
using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Topics;

/// <summary>What the owner loop does to the topics that this broker shares with others.</summary>
internal sealed partial class TopicRegistry : IOwnerActions
{
    private static readonly TimeSpan SealPatience = TimeSpan.FromSeconds(10), SealPoll = TimeSpan.FromMilliseconds(10);

    /// <summary>Where topics are served; null for a broker by itself. Set before the first request.</summary>
    public TopicLookup? Lookup { get; set; }

    /// <summary>Told of a topic of which a client knows a higher epoch; true when the store has said since that this topic never had it.</summary>
    public Func<string, uint, bool>? OnHigherEpoch { get; set; }

    /// <summary>Why a channel on an open topic is refused to a client that has seen a later owner; null when it is not.</summary>
    public Refusal? CheckEpoch(TopicEntry entry, Topic topic, uint? seen)
    {
        if (Lookup is null || !(seen > topic.Log.TopicEpoch))
        {
            return null;
        }

        return OnHigherEpoch?.Invoke(entry.Name.Full, seen!.Value) == true && Lookup.IsProven
            ? new Refusal(ErrorCode.TopicDeleted, $"The topic {entry.Name} that you know was deleted; the one of this name now is another.")
            : Lookup.HigherEpoch(entry.Name.Full);
    }

    async ValueTask<PreparedTopic> IOwnerActions.PrepareAsync(string topic, Assignment assignment, OwnershipGate gate, CancellationToken cancellationToken)
    {
        if (!_entries.TryGetValue(topic, out TopicEntry? entry) || entry.Definition.TopicId != (ulong)assignment.TopicId || entry.Definition.State == TopicState.Deleting)
        {
            return new PreparedTopic(PrepareStatus.Unknown);
        }

        await entry.Gate.WaitAsync(cancellationToken);
        try
        {
            if (entry.IsClosed)
            {
                return new PreparedTopic(PrepareStatus.Unknown);
            }

            CloseOpen(entry, NotOwnerText(entry));
            entry.Prepared = await OpenUnderGateAsync(entry, (store, definition, retention) => OpenOwned(store, definition, retention, assignment, gate), cancellationToken);
            return new PreparedTopic(PrepareStatus.Ready, entry.Prepared.Log.HighestEpoch);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return new PreparedTopic(PrepareStatus.Failed, Reason: e.Message, MayPass: e is not InvalidDataException);
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    void IOwnerActions.Activate(string topic, uint epoch)
    {
        if (_entries.TryGetValue(topic, out TopicEntry? entry) && entry.Prepared is { } prepared)
        {
            prepared.BeginEpoch(epoch);
            entry.Topic = prepared;
            entry.Prepared = null;
            OpenTopicsChanged();
        }
    }

    bool IOwnerActions.MayRelease(string topic) =>
        _entries.TryGetValue(topic, out TopicEntry? entry) && (entry.Topic ?? entry.Prepared) is { } open && (open.Log.Durability == DurabilityClass.Memory || !HasRecords(open));

    bool IOwnerActions.IsInMemory(string topic) => _entries.TryGetValue(topic, out TopicEntry? entry) && entry.Definition.Class == DurabilityClass.Memory;

    bool IOwnerActions.IsDeleting(string topic, long topicId) => cluster!.View.TryGetTopic(topic, out TopicDefinition? definition)
        && (definition.State == TopicState.Deleting || TopicIds.CreatedRevision(definition.TopicId) > TopicIds.CreatedRevision(topicId));

    async ValueTask<StoppedTopic> IOwnerActions.StopAsync(string topic, StopReason why, CancellationToken cancellationToken)
    {
        if (!_entries.TryGetValue(topic, out TopicEntry? entry))
        {
            // It has left the catalogue, and was closed with that.
            return default;
        }

        await entry.Gate.WaitAsync(cancellationToken);
        try
        {
            if ((entry.Topic ?? entry.Prepared) is not { } open)
            {
                return default;
            }

            string text = why == StopReason.Delete ? $"Topic {entry.Name} was deleted." : NotOwnerText(entry);
            if (why == StopReason.Release)
            {
                // Nobody new, then what was sent is acknowledged while this broker still can.
                entry.Topic = null;
                entry.Prepared = open;
                OpenTopicsChanged();
                open.StopProducers(ErrorCode.NotOwner, text);
                await SealAsync(open, cancellationToken);
            }

            bool hasRecords = HasRecords(open);
            long end = open.Log.Committed;
            CloseOpen(entry, text, why == StopReason.Delete ? ErrorCode.TopicDeleted : ErrorCode.NotOwner);
            if (why != StopReason.NotOwner || !IsMine(topic))
            {
                // Its series are the next owner's; under another session that is this broker, which counts on.
                requests.RemoveTopic(entry.Name.Full);
            }

            return new StoppedTopic(end, hasRecords && open.Log.Durability != DurabilityClass.Memory);
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    void IOwnerActions.Discard(string topic, long topicId)
    {
        if (_entries.TryGetValue(topic, out TopicEntry? entry) && entry.Definition.TopicId == (ulong)topicId && entry.Topic is null)
        {
            LogStore store = StoreOf(entry.Definition);
            store.Cursors.RemoveTopic(entry.Definition.TopicId);
            store.Delete(entry.Definition.TopicId);
        }
    }

    void IOwnerActions.ParkForeign()
    {
        // A record that cannot be read is still the record of a topic; its place in its transaction is not known then.
        HashSet<ulong> known = [.. cluster!.View.Topics.Select(t => t.TopicId)];
        HashSet<long> unreadable = [.. cluster.View.UnreadableTopics];
        foreach (ulong topicId in durableLogs.TopicIdsFound.Where(id => !known.Contains(id) && !unreadable.Contains(TopicIds.CreatedRevision(id))))
        {
            try
            {
                Park(topicId, "no topic has this id; it was deleted while this broker was away.");
            }
            catch (IOException e)
            {
                Log.HousekeepingFailed(log, e, topicId.ToString(CultureInfo.InvariantCulture));
            }
        }

        durableLogs.RemoveOrphans(TimeSpan.FromDays(LogStore.OrphanDays));
    }

    private TopicLog OpenOwned(LogStore store, TopicDefinition definition, LogRetention retention, Assignment assignment, OwnershipGate gate)
    {
        TopicLog opened = definition.Class == DurabilityClass.Memory
            ? store.CreateAt(definition.TopicId, definition.Class, retention, assignment.StartOffset)
            : assignment.State == AssignmentState.Assigned
                ? OpenAssigned(store, definition, retention, assignment.StartOffset)
                : OpenOwn(store, definition, retention, assignment.StartOffset);
        opened.Gate = gate;
        return opened;
    }

    /// <summary>A topic that comes from somewhere else, or is new: what is stored here of it is not what the assignment speaks of, unless it ends exactly there.</summary>
    private TopicLog OpenAssigned(LogStore store, TopicDefinition definition, LogRetention retention, long startOffset)
    {
        ulong id = definition.TopicId;
        if (!store.Exists(id))
        {
            return store.CreateAt(id, definition.Class, retention, startOffset);
        }

        TopicLog opened = OpenChecked(store, definition, retention);
        long end = opened.Committed;
        if (end == startOffset)
        {
            return opened;
        }

        bool isEmpty = opened.LogStart == end;
        opened.Dispose();
        if (end > startOffset && !isEmpty)
        {
            Park(id, string.Create(CultureInfo.InvariantCulture, $"topic {definition.Topic} was assigned from offset {startOffset} on, and this log reaches {end}."));
        }
        else if (isEmpty)
        {
            store.Delete(id);
        }
        else
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"Its log here ends at offset {end}, below the offset {startOffset} that it was assigned from: records are missing."));
        }

        return store.CreateAt(id, definition.Class, retention, startOffset);
    }

    /// <summary>A topic that this broker has served before: its bytes must be here.</summary>
    private static TopicLog OpenOwn(LogStore store, TopicDefinition definition, LogRetention retention, long startOffset)
    {
        if (!store.Exists(definition.TopicId))
        {
            throw new InvalidDataException($"Its log (topics/{definition.TopicId} in the data directory) is missing, and nobody else has it.");
        }

        TopicLog opened = OpenChecked(store, definition, retention);
        if (opened.Committed < startOffset)
        {
            long end = opened.Committed;
            opened.Dispose();
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"Its log here ends at offset {end}, below the offset {startOffset} that it began at: records are missing."));
        }

        return opened;
    }

    // Asking for the end recovers the log.
    private static TopicLog OpenChecked(LogStore store, TopicDefinition definition, LogRetention retention)
    {
        TopicLog opened = OpenLog(store, definition, retention);
        if (opened.Failure is { } failure)
        {
            opened.Dispose();
            throw new IOException(failure.Message, failure);
        }

        return opened;
    }

    private void Park(ulong topicId, string reason)
    {
        if (durableLogs.Park(topicId) is { } folder)
        {
            Log.LogParked(log, topicId, folder, reason, LogStore.OrphanDays);
        }
    }

    // Visible is what was durable while this broker could prove itself: acknowledgements of all of it are queued then.
    private async Task SealAsync(Topic topic, CancellationToken cancellationToken)
    {
        long begun = time.GetTimestamp();
        while (topic.Log.Failure is null && topic.Log.Visible < topic.Log.Committed && time.GetElapsedTime(begun) < SealPatience)
        {
            await Task.Delay(SealPoll, cancellationToken);
        }
    }

    private bool IsMine(string topic) => cluster!.View.TryGetAssignment(topic, out _, out Assignment? assignment) && assignment.Owner == cluster.Broker;

    private static bool HasRecords(Topic topic)
    {
        long end = topic.Log.Committed;
        return topic.Log.LogStart < end || topic.SlowestMarkDelete() < end;
    }

    private void CloseOpen(TopicEntry entry, string text, ErrorCode code = ErrorCode.NotOwner)
    {
        Topic?[] open = [entry.Topic, entry.Prepared];
        entry.Topic = null;
        entry.Prepared = null;
        OpenTopicsChanged();
        foreach (Topic topic in open.OfType<Topic>())
        {
            TopicClosing?.Invoke(entry, topic);
            topic.Close(code, text);
        }
    }

    private static string NotOwnerText(TopicEntry entry) => $"Topic {entry.Name} is no longer served by this broker: look it up.";
}
