using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>When a run of frames arrived and when its append began, Unix microseconds; the default while nobody listens.</summary>
internal readonly record struct PublishMoments(Topic? Topic, long ArrivedMicros, long AppendMicros)
{
    /// <summary>The spans of an appended frame; null when it has none.</summary>
    public PublishSpans? SpansOf(StreamHeader header) =>
        Topic is not null && BrokerTracing.IsSampled(header) ? PublishSpans.Begin(Topic, header, ArrivedMicros, AppendMicros) : null;
}
