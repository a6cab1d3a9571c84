using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>Topics as peers and people see them.</summary>
internal sealed partial class TopicRegistry
{
    // What a list waits for topics that are not open yet; the openings that have begun go on.
    private static readonly TimeSpan ListPatience = TimeSpan.FromSeconds(1);
    private const int OpenAtOnce = 4;

    /// <summary>
    /// Topics in order of name; partitions are shown through their base only. Topics that are not open yet are opened, so that their ends
    /// are true; those that take too long show what the catalogue knows, with the state not_open.
    /// </summary>
    public async Task<TopicInfo[]> ListAsync(string? ns)
    {
        TopicEntry[] closed = [.. _entries.Values.Where(e => e.Topic is null && !e.Definition.IsBase && !e.IsClosed && (ns is null || e.Name.Namespace == ns))];
        if (closed.Length > 0 && !state.IsDraining && Lookup is null)
        {
            await Task.WhenAny(OpenSomeAsync(closed), Task.Delay(ListPatience));
        }

        return
        [
            .. _entries.Values
                .Where(e => e.Definition.PartitionOf is null && e.Definition.IsReady && (ns is null || e.Name.Namespace == ns))
                .OrderBy(e => e.Name.Full, StringComparer.Ordinal)
                .Select(InfoOf),
        ];
    }

    private async Task OpenSomeAsync(TopicEntry[] entries)
    {
        using var patience = new CancellationTokenSource(ListPatience);
        try
        {
            await Parallel.ForEachAsync(
                entries,
                new ParallelOptions { MaxDegreeOfParallelism = OpenAtOnce, CancellationToken = patience.Token },
                async (entry, _) => await OpenAsync(entry, CancellationToken.None));
        }
        catch (OperationCanceledException)
        {
            // The rest is opened when it is asked for, or by the timer.
        }
        catch (Exception e)
        {
            Log.HousekeepingFailed(log, e, "(list)");
        }
    }

    /// <summary>One topic, opened if need be.</summary>
    public async Task<Answer<TopicInfo>> DescribeAsync(string name, CancellationToken cancellationToken)
    {
        if (!Find(name).TryGet(out TopicEntry? entry, out Refusal? refusal))
        {
            return refusal;
        }

        if (entry.Definition.IsBase)
        {
            foreach (TopicEntry partition in PartitionsOf(entry))
            {
                await OpenAsync(partition, cancellationToken);
            }
        }
        else if ((await OpenAsync(entry, cancellationToken)).Refusal is { } failure)
        {
            return failure;
        }

        return InfoOf(entry) with { Policy = OwnPolicy(entry.Definition) };
    }

    /// <summary>A topic that was just created: in full when this broker serves it, else what the catalogue knows, with what is missing when nobody does.</summary>
    public async Task<Answer<TopicInfo>> DescribeCreatedAsync(TopicEntry created, CancellationToken cancellationToken)
    {
        if (DescribeUnserved(created) is { } unserved)
        {
            return unserved;
        }

        Answer<TopicInfo> described = await DescribeAsync(created.Name.Full, cancellationToken);
        return described.Refusal?.Redirect is null ? described : InfoOf(created) with { Policy = OwnPolicy(created.Definition) };
    }

    private IEnumerable<TopicEntry> PartitionsOf(TopicEntry entry)
    {
        for (int i = 0; i < entry.Definition.Partitions; i++)
        {
            if (_entries.TryGetValue(entry.Name.PartitionTopic(i), out TopicEntry? partition))
            {
                yield return partition;
            }
        }
    }

    private TopicInfo InfoOf(TopicEntry entry)
    {
        if (entry.Definition.IsBase)
        {
            return Sum(entry, [.. PartitionsOf(entry).Select(InfoOf)]);
        }

        if (entry.Topic is { } topic)
        {
            return topic.Describe() with { Partitions = 1, Durability = entry.Definition.Durability };
        }

        Refusal? elsewhere = Lookup?.RefusalFor(entry.Definition);
        return new TopicInfo
        {
            Topic = entry.Name.Full,
            TopicId = entry.Definition.TopicId,
            Durability = entry.Definition.Durability,
            Partitions = 1,
            State = elsewhere is null ? "not_open" : ErrorCodes.Name(elsewhere.Code),
            Failure = elsewhere?.Code == ErrorCode.TopicWaiting ? elsewhere.Message : null,
            Subscriptions = [.. entry.Subscriptions.Values.Select(s => new SubscriptionInfo { Name = s.Name, Type = s.Type })],
        };
    }

    private static TopicInfo Sum(TopicEntry entry, TopicInfo[] partitions) => new()
    {
        Topic = entry.Name.Full,
        Durability = entry.Definition.Durability,
        Partitions = entry.Definition.Partitions,
        SizeBytes = partitions.Sum(p => p.SizeBytes),
        Producers = partitions.Sum(p => p.Producers),
        State = Array.Find(partitions, p => p.State != "ok")?.State ?? "ok",
        Failure = Array.Find(partitions, p => p.Failure is not null)?.Failure,
        Subscriptions =
        [
            .. partitions.SelectMany(p => p.Subscriptions).GroupBy(s => s.Name).Select(g => Sum(g.Key, g)),
        ],
    };
}
