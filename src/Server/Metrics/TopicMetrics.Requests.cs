namespace Danube.Fast.Server.Metrics;

/// <summary>Requests that name a topic. Those for topics without series of their own are summed.</summary>
internal sealed partial class TopicMetrics
{
    private void RegisterRequests(RequestCounters requests)
    {
        _registry.Counter("producers", "danube_producer_create_total", "Producers created or refused.", Labels.ProducerCreate, (reading, sink) =>
            Drop(requests.ProducerCreates.Read(Rows(reading), reading.Topic, sink)));
        _registry.Counter("consumers", "danube_consumer_subscribe_total", "Subscribes done or refused.", Labels.Subscribe, (reading, sink) =>
            Drop(requests.Subscribes.Read(Rows(reading), reading.Topic, sink)));
    }
}
