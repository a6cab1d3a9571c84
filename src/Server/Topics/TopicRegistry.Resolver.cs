using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Topics;

/// <summary>Topics that the engine needs by itself: dead letters go there.</summary>
internal sealed partial class TopicRegistry
{
    /// <inheritdoc/>
    public async ValueTask<Topic> OpenOrCreateAsync(string name, Topic source, CancellationToken cancellation)
    {
        TopicEntry entry = await FindForDeadLettersAsync(name, source, cancellation);
        return (await OpenAsync(entry, cancellation)).TryGet(out Topic? topic, out Refusal? refusal) ? topic : throw new InvalidOperationException(refusal.Message);
    }

    /// <inheritdoc/>
    public async ValueTask<DeadLetterTarget?> OpenElsewhereAsync(string name, Topic source, string producerName, IFrameSink sink, CancellationToken cancellation)
    {
        if (Lookup is not { } lookup)
        {
            return null;
        }

        TopicEntry entry = await FindForDeadLettersAsync(name, source, cancellation);
        if (entry.Topic is not null)
        {
            return null;
        }

        Refusal elsewhere = lookup.RefusalFor(entry.Definition);
        if (elsewhere.Redirect is { Address.Length: > 0 } redirect)
        {
            return await RemoteDeadLetterTarget.OpenAsync(redirect.Address, PeerIdentity.NameOf(cluster!.Broker, cluster.Record), name, producerName, source.Options.MaxFrameBytes, sink, cancellation);
        }

        Log.DeadLettersWait(log, source.Name, name, elsewhere.Message);
        throw new InvalidOperationException(elsewhere.Message);
    }

    private async ValueTask<TopicEntry> FindForDeadLettersAsync(string name, Topic source, CancellationToken cancellation)
    {
        Answer<TopicEntry> found = Find(name);
        if (found.Refusal?.Code == ErrorCode.TopicNotFound)
        {
            // Whoever set the policy asked for it: whether clients may create topics does not matter.
            found = await CreateAsync(new TopicSpec { Topic = name, Durability = DurabilityNames.Name(source.Log.Durability) }, cancellation);
            found = found.Refusal?.Code == ErrorCode.TopicExists ? Find(name) : found;
        }

        if (!found.TryGet(out TopicEntry? entry, out Refusal? refusal))
        {
            throw new InvalidOperationException(refusal.Message);
        }

        return entry.Definition.IsBase
            ? throw new InvalidOperationException($"Topic {entry.Name} has partitions and cannot take dead letters: name a plain topic.")
            : entry;
    }
}
