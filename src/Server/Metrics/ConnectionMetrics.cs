using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Sessions;

namespace Danube.Fast.Server.Metrics;

/// <summary>Connections of the native protocol and what goes over them.</summary>
internal static class ConnectionMetrics
{
    private static readonly string[] DirectionLabel = ["direction"];
    private static readonly string[] MessageLabels = ["direction", "type"];
    private static readonly string[] EncodingLabels = ["direction", "encoding"];
    private static readonly LabelSet In = new(DirectionLabel, "in");
    private static readonly LabelSet Out = new(DirectionLabel, "out");

    private static readonly (FrameType Type, LabelSet In, LabelSet Out)[] Types =
        [.. FrameNames.Types.Select(t => (t.Type, new LabelSet(MessageLabels, "in", t.Name), new LabelSet(MessageLabels, "out", t.Name)))];

    private static readonly (PayloadEncoding Encoding, LabelSet In, LabelSet Out)[] Encodings =
        [.. FrameNames.Encodings.Select(e => (e.Encoding, new LabelSet(EncodingLabels, "in", e.Name), new LabelSet(EncodingLabels, "out", e.Name)))];

    public static void Register(MetricRegistry registry, SessionTable sessions)
    {
        Gauge("danube_connections", "Open connections of the native protocol.", () => sessions.Count);
        Counter("danube_connections_accepted_total", "Connections accepted.", () => sessions.Accepted);
        Counter("danube_connections_refused_total", "Connections turned away: too many, or draining.", () => sessions.Refused);
        Counter("danube_connections_slow_total", "Connections closed because they did not take what was sent.", () => sessions.SlowConsumers);
        Gauge("danube_channels", "Open producers and consumers.", () => sessions.Sessions.Sum(s => s.ChannelCount));
        Gauge("danube_send_queue_bytes", "Bytes that wait to be sent.", () => sessions.Bytes().BytesQueued);
        registry.Counter("protocol", "danube_protocol_bytes_total", "Bytes on sockets of the native protocol.", DirectionLabel, (reading, sink) =>
        {
            (long bytesIn, long bytesOut, long _) = sessions.Bytes();
            sink.Sample(In, bytesIn);
            sink.Sample(Out, bytesOut);
        });
        registry.Counter("protocol", "danube_protocol_messages_total", "Frames and JSON lines by type.", MessageLabels, (reading, sink) =>
        {
            FrameCounters frames = Frames(reading);
            foreach ((FrameType type, LabelSet received, LabelSet sent) in Types)
            {
                sink.Sample(received, frames.Received(type));
                sink.Sample(sent, frames.Sent(type));
            }
        });
        registry.Counter("protocol", "danube_protocol_encoding_total", "Frames and JSON lines by payload encoding; stream frames are plain.", EncodingLabels, (reading, sink) =>
        {
            FrameCounters frames = Frames(reading);
            foreach ((PayloadEncoding encoding, LabelSet received, LabelSet sent) in Encodings)
            {
                sink.Sample(received, frames.ReceivedWith(encoding));
                sink.Sample(sent, frames.SentWith(encoding));
            }
        });

        FrameCounters Frames(MetricReading reading) => reading.Share(sessions, _ => sessions.Frames());
        void Counter(string name, string help, Func<long> value) => registry.Counter("protocol", name, help, Labels.None, (_, sink) => sink.Sample(LabelSet.None, value()));
        void Gauge(string name, string help, Func<long> value) => registry.Gauge("protocol", name, help, Labels.None, (_, sink) => sink.Sample(LabelSet.None, value()));
    }
}
