using Danube.Fast.Core;

namespace Danube.Fast.Server.Metrics;

/// <summary>Requests that name a topic. Those for topics without series of their own are summed.</summary>
internal sealed partial class TopicMetrics
{
    private void RegisterRequests(RequestCounters requests)
    {
        _registry.Counter("producers", "danube_producer_create_total", "Producers created or refused.", Labels.ProducerCreate, (reading, sink) => ReadByTopic(
            reading,
            sink,
            requests.ProducerCreates,
            k => k.Topic,
            k => (Labels.Other, k.Result, k.ErrorType),
            k => new LabelSet(Labels.ProducerCreate, Labels.Other, Labels.Other, k.Result, k.ErrorType)));
        _registry.Counter("consumers", "danube_consumer_subscribe_total", "Subscribes done or refused.", Labels.Subscribe, (reading, sink) => ReadByTopic(
            reading,
            sink,
            requests.Subscribes,
            k => k.Topic,
            k => (Labels.Other, Labels.Other, Labels.Other, k.Result),
            k => new LabelSet(Labels.Subscribe, Labels.Other, Labels.Other, Labels.Other, Labels.Other, k.Result)));
    }

    private void ReadByTopic<TKey>(MetricReading reading, IMetricSink sink, CountedSeries<TKey> counts, Func<TKey, string> topicOf, Func<TKey, TKey> rest, Func<TKey, LabelSet> restLabels)
        where TKey : notnull
    {
        TopicRows rows = Rows(reading);
        var sums = new Dictionary<TKey, long>();
        int dropped = 0;
        foreach ((TKey key, LabelSet labels, long count) in counts.All)
        {
            if (reading.Topic is not null ? topicOf(key) == reading.Topic : rows.Shows(topicOf(key)) && topicOf(key) != Labels.Other)
            {
                sink.Sample(labels, count);
            }
            else if (reading.Topic is null)
            {
                dropped += topicOf(key) == Labels.Other ? 0 : 1;
                sums[rest(key)] = sums.GetValueOrDefault(rest(key)) + count;
            }
        }

        Drop(dropped);
        foreach ((TKey key, long count) in sums)
        {
            sink.Sample(restLabels(key), count);
        }
    }
}
