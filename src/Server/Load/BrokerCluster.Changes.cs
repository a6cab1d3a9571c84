using Danube.Fast.Core;
using Danube.Fast.LoadManager;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Load;

// What operators ask of brokers and of topics that wait. Any broker records it; the leader acts on it.
internal sealed partial class BrokerCluster
{
    public async ValueTask<Answer<ModeChange>> SetModeAsync(long broker, BrokerMode mode, CancellationToken cancellationToken)
    {
        Refusal? refusal = mode == BrokerMode.Active
            ? await _node.Admin.ActivateAsync((int)broker, cancellationToken)
            : await _node.Admin.UnloadAsync((int)broker, cancellationToken);
        return refusal is null ? After(broker) : refusal;
    }

    public async ValueTask<Answer<ModeChange>> RemoveAsync(long broker, CancellationToken cancellationToken) =>
        await _node.Admin.RemoveBrokerAsync((int)broker, cancellationToken) is { } refusal ? refusal : new ModeChange(broker, null, 0, []);

    public async ValueTask<Refusal?> RecreateAsync(string topic, CancellationToken cancellationToken) => await _node.Admin.RecreateTopicAsync(topic, cancellationToken);

    private ModeChange After(long broker)
    {
        string[] topics = [.. _node.Admin.TopicsOf((int)broker).Select(t => t.Topic)];
        return new ModeChange(broker, _node.View.ModeOf((int)broker), topics.Length, [.. topics.Where(IsBound)]);
    }

    // Another broker could not read what is stored. Whether anything is stored only the owner knows; it gives up what has nothing.
    private bool IsBound(string topic) => _node.View.TryGetTopic(topic, out TopicDefinition? definition) && definition.Class is DurabilityClass.Os or DurabilityClass.Fsync;
}
