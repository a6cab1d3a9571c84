using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>Topics that the engine needs by itself: dead letters go there.</summary>
internal sealed partial class TopicRegistry
{
    /// <inheritdoc/>
    public async ValueTask<Topic> OpenOrCreateAsync(string name, Topic source, CancellationToken cancellation)
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

        if (entry.Definition.IsBase)
        {
            throw new InvalidOperationException($"Topic {entry.Name} has partitions and cannot take dead letters: name a plain topic.");
        }

        return (await OpenAsync(entry, cancellation)).TryGet(out Topic? topic, out refusal) ? topic : throw new InvalidOperationException(refusal.Message);
    }
}
