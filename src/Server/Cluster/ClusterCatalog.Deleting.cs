using Danube.Fast.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

// A topic that is deleted is marked first: from then on nobody finds it. The leader lets its owner give it up and removes the records.
internal sealed partial class ClusterCatalog
{
    /// <summary>Deletes a topic, or a base with its partitions. Once the mark is written it comes to its end, whatever happens.</summary>
    public async Task<Answer<TopicDefinition>> DeleteAsync(TopicDefinition topic, CancellationToken cancellationToken)
    {
        try
        {
            if (!await MarkDeletingAsync(topic, cancellationToken))
            {
                return new Refusal(ErrorCode.Unavailable, $"Topic {topic.Topic} could not be marked for deletion: look whether it is still there, and try again.");
            }

            // Those who wait are told the truth about the mark; the rest follows by itself.
            await node.View.WaitForTopicAsync(
                topic.Topic, () => !node.View.TryGetTopic(topic.Topic, out TopicDefinition? d) || d.TopicId != topic.TopicId, followLimit, cancellationToken);
            return topic;
        }
        catch (IOException e)
        {
            return Away(e);
        }
    }

    // True: it is marked, or gone.
    private async Task<bool> MarkDeletingAsync(TopicDefinition topic, CancellationToken cancellationToken)
    {
        string key = ClusterKeys.Topic(topic.Topic);
        for (int i = 0; i < Attempts; i++)
        {
            MetadataEntry? there = await node.Store.GetAsync(key, cancellationToken);
            if (there is null || there.CreatedRevision != TopicIds.CreatedRevision(topic.TopicId) || TopicRecords.Decode(there) is not { State: not TopicState.Deleting } known)
            {
                await node.View.WaitForAsync(there?.Revision ?? 0, cancellationToken);
                return true;
            }

            await node.Store.CommitAsync(
                new MetadataTransaction().IfRevision(key, there.Revision).Put(key, TopicRecords.Encode(known with { State = TopicState.Deleting })), cancellationToken);
        }

        return false;
    }
}
