using Danube.Fast.Protocol;
using Danube.Fast.Server.Sessions;
using Danube.Fast.Server.Topics;
using Danube.Fast.Wal;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// Puts /metrics together from the counters of all parts. A reading disturbs nobody: every source is plain or striped memory.
/// Runs on: HTTP requests.
/// </summary>
internal sealed partial class MetricsPage(
    BrokerOptions options, string brokerName, BrokerState state, TopicRegistry topics, SessionTable sessions, RequestCounters requests, DataDirectory data)
{
    private static readonly (FrameType Type, string Name)[] FrameTypes =
    [
        (FrameType.Request, "request"), (FrameType.Response, "response"), (FrameType.Event, "event"), (FrameType.Error, "error"),
        (FrameType.Publish, "publish"), (FrameType.PublishAck, "publish_ack"), (FrameType.Deliver, "deliver"), (FrameType.Credit, "credit"),
        (FrameType.Ack, "ack"), (FrameType.Nack, "nack"), (FrameType.Ping, "ping"), (FrameType.Pong, "pong"), (FrameType.Close, "close"),
    ];

    private readonly long _startedAt = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>Writes the page in text format 0.0.4.</summary>
    public void Render(PrometheusWriter writer)
    {
        WriteBroker(writer);
        WriteConnections(writer);
        WriteRequests(writer);
        WriteTopics(writer, ReadTopics());
        WriteWal(writer);
        WriteRuntime(writer);
    }

    /// <summary>The heaviest topics one by one, the rest in one sum.</summary>
    private List<TopicSample> ReadTopics()
    {
        List<TopicSample> all = [.. topics.OpenTopics.Select(t => TopicSample.Of(t.Entry, t.Topic))];
        if (all.Count <= options.MetricsMaxTopics)
        {
            return all;
        }

        all.Sort((a, b) => (b.Counters.BytesIn + b.Counters.BytesOut).CompareTo(a.Counters.BytesIn + a.Counters.BytesOut));
        TopicSample rest = TopicSample.Sum(all[options.MetricsMaxTopics..]);
        return [.. all[..options.MetricsMaxTopics], rest];
    }

    private void WriteBroker(PrometheusWriter w)
    {
        string version = typeof(MetricsPage).Assembly.GetName().Version?.ToString(3) ?? "";
        w.Gauge("danube_build_info", "Version of the broker; always 1.").Sample(1, "version", version, "broker", brokerName);
        w.Gauge("danube_start_time_seconds", "When the process started, Unix seconds.").Sample(_startedAt);
        w.Gauge("danube_draining", "1 while the broker shuts down.").Sample(state.IsDraining ? 1 : 0);
        w.Gauge("danube_broker_topics_owned", "Topics of this broker, partitions counted singly.").Sample(topics.Count, "broker_id", brokerName);
    }

    private void WriteConnections(PrometheusWriter w)
    {
        (long bytesIn, long bytesOut, long queued) = sessions.Bytes();
        FrameCounters frames = sessions.Frames();
        w.Gauge("danube_connections", "Open connections of the native protocol.").Sample(sessions.Count);
        w.Counter("danube_connections_accepted_total", "Connections accepted.").Sample(sessions.Accepted);
        w.Counter("danube_connections_refused_total", "Connections turned away: too many, or draining.").Sample(sessions.Refused);
        w.Counter("danube_connections_slow_total", "Connections closed because they did not take what was sent.").Sample(sessions.SlowConsumers);
        w.Gauge("danube_channels", "Open producers and consumers.").Sample(sessions.Sessions.Sum(s => s.ChannelCount));
        w.Gauge("danube_send_queue_bytes", "Bytes that wait to be sent.").Sample(queued);
        w.Counter("danube_protocol_bytes_total", "Bytes on sockets of the native protocol.");
        w.Sample(bytesIn, "direction", "in");
        w.Sample(bytesOut, "direction", "out");
        w.Counter("danube_protocol_messages_total", "Frames by type.");
        foreach ((FrameType type, string name) in FrameTypes)
        {
            w.Sample(frames.Received(type), "direction", "in", "type", name);
            w.Sample(frames.Sent(type), "direction", "out", "type", name);
        }

        w.Counter("danube_protocol_encoding_total", "Version-1 frames by payload encoding.");
        w.Sample(requests.Encoded(PayloadEncoding.Json), "direction", "in", "encoding", "json");
        w.Sample(requests.Encoded(PayloadEncoding.Gob), "direction", "in", "encoding", "gob");
        w.Sample(requests.Encoded(PayloadEncoding.Plain), "direction", "in", "encoding", "plain");
    }

    private void WriteRequests(PrometheusWriter w)
    {
        w.Counter("danube_broker_rpc_total", "Requests of the native protocol.");
        foreach (((string method, string result), long count) in requests.Requests)
        {
            w.Sample(count, "method", method, "result", result);
        }

        w.Counter("danube_client_messages_total", "Messages from client to client.");
        w.Sample(requests.Routed, "result", "ok");
        w.Sample(requests.NotRouted, "result", "error");

        w.Counter("danube_admin_rpc_total", "Requests of the admin API.");
        foreach (((string method, string result), long count) in requests.AdminRequests)
        {
            w.Sample(count, "method", method, "result", result);
        }

        w.Counter("danube_rpc_errors_total", "Error frames sent, by code.");
        foreach ((ErrorCode code, long count) in requests.Errors)
        {
            w.Sample(count, "service", "broker", "code", ErrorCodes.Name(code));
        }

        w.Counter("danube_producer_create_total", "Producers created or refused.");
        foreach (((string topic, string result, string error), long count) in requests.ProducerCreates)
        {
            w.Sample(count, "namespace", NamespaceOf(topic), "topic", topic, "result", result, "error_type", error);
        }

        w.Counter("danube_consumer_subscribe_total", "Subscribes done or refused.");
        foreach (((string topic, string subscription, string type, string result), long count) in requests.Subscribes)
        {
            w.Sample(count, "namespace", NamespaceOf(topic), "topic", topic, "subscription", subscription, "sub_type", type, "result", result);
        }
    }

    private static void WriteRuntime(PrometheusWriter w)
    {
        w.Counter("dotnet_gc_allocated_bytes_total", "Bytes allocated on the managed heap.").Sample(GC.GetTotalAllocatedBytes());
        w.Counter("dotnet_gc_collections_total", "Garbage collections by generation.");
        for (int generation = 0; generation <= 2; generation++)
        {
            w.Sample(GC.CollectionCount(generation), "generation", generation.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        w.Gauge("dotnet_gc_heap_bytes", "Managed heap in use.").Sample(GC.GetTotalMemory(forceFullCollection: false));
        w.Counter("dotnet_gc_pause_seconds_total", "Time the process was paused by collections.").Sample(GC.GetTotalPauseDuration().TotalSeconds);
        w.Gauge("dotnet_threadpool_threads", "Threads of the pool.").Sample(ThreadPool.ThreadCount);
        w.Gauge("dotnet_threadpool_queue_length", "Work items that wait for a thread.").Sample(ThreadPool.PendingWorkItemCount);
        w.Gauge("process_resident_memory_bytes", "Working set.").Sample(Environment.WorkingSet);
        w.Counter("process_cpu_seconds_total", "Processor time used.").Sample(Environment.CpuUsage.TotalTime.TotalSeconds);
    }

    private static string NamespaceOf(string topic)
    {
        int slash = topic.Length > 1 ? topic.IndexOf('/', 1) : -1;
        return slash > 0 ? topic[1..slash] : RequestCounters.Other;
    }
}
