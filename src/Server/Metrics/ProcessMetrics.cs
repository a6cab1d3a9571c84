using System.Globalization;
using Danube.Fast.Core;
using Danube.Fast.Server.Topics;
using Danube.Fast.Server.Transport;
using Danube.Fast.Wal;

namespace Danube.Fast.Server.Metrics;

/// <summary>The broker as a process: version, state, memory, garbage collection, threads.</summary>
internal static class ProcessMetrics
{
    private static readonly string[] BuildLabels = ["version", "broker"];
    private static readonly string[] GenerationLabel = ["generation"];
    private static readonly string[] PoolLabel = ["pool"];
    private static readonly LabelSet[] Generations = [.. Enumerable.Range(0, 3).Select(g => new LabelSet(GenerationLabel, g.ToString(CultureInfo.InvariantCulture)))];
    private static readonly LabelSet ReceivePool = new(PoolLabel, "receive");
    private static readonly LabelSet SendPool = new(PoolLabel, "send");
    private static readonly LabelSet ColdReadPool = new(PoolLabel, "cold_read");

    public static void Register(MetricRegistry registry, string brokerName, int brokerId, BrokerState state, TopicRegistry topics, DataDirectory data)
    {
        var build = new LabelSet(BuildLabels, typeof(ProcessMetrics).Assembly.GetName().Version?.ToString(3) ?? "", brokerName);
        var broker = new LabelSet(Labels.Broker, brokerId.ToString(CultureInfo.InvariantCulture));
        long startedAt = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        registry.Gauge("broker", "danube_build_info", "Version of the broker; always 1.", BuildLabels, (_, sink) => sink.Sample(build, 1));
        registry.Gauge("broker", "danube_start_time_seconds", "When the process started, Unix seconds.", Labels.None, (_, sink) => sink.Sample(LabelSet.None, startedAt));
        registry.Gauge("broker", "danube_draining", "1 while the broker shuts down.", Labels.None, (_, sink) => sink.Sample(LabelSet.None, state.IsDraining ? 1 : 0));
        registry.Gauge("broker", "danube_broker_topics_owned", "Topics that this broker serves, partitions counted singly.", Labels.Broker, (_, sink) => sink.Sample(broker, topics.ServedCount));
        registry.Counter("broker", "danube_hot_path_allocated_bytes_total", "Bytes allocated by receiving, acknowledging and dispatching; stands still in steady state.", Labels.None, (_, sink) =>
            sink.Sample(LabelSet.None, HotPathAllocations.Bytes));
        registry.Gauge("broker", "danube_memory_pool_kept_bytes", "Bytes of buffers that pools keep for the next use.", PoolLabel, (_, sink) =>
        {
            sink.Sample(ReceivePool, ReceiveBufferPool.KeptBytes);
            sink.Sample(SendPool, SendChunk.KeptBytes);
            sink.Sample(ColdReadPool, data.ColdReadMemory.Kept);
        });
        registry.Counter("broker", "danube_memory_pool_made_bytes_total", "Bytes of buffers that pools had to make because they kept none.", PoolLabel, (_, sink) =>
        {
            sink.Sample(ReceivePool, ReceiveBufferPool.MadeBytes);
            sink.Sample(SendPool, SendChunk.MadeBytes);
            sink.Sample(ColdReadPool, data.ColdReadMemory.Made);
        });
        RegisterRuntime(registry);
    }

    private static void RegisterRuntime(MetricRegistry registry)
    {
        Counter("dotnet_gc_allocated_bytes_total", "Bytes allocated on the managed heap.", () => GC.GetTotalAllocatedBytes());
        registry.Counter("runtime", "dotnet_gc_collections_total", "Garbage collections by generation.", GenerationLabel, (_, sink) =>
        {
            for (int generation = 0; generation < Generations.Length; generation++)
            {
                sink.Sample(Generations[generation], GC.CollectionCount(generation));
            }
        });
        Gauge("dotnet_gc_heap_bytes", "Managed heap in use.", () => GC.GetTotalMemory(forceFullCollection: false));
        Counter("dotnet_gc_pause_seconds_total", "Time the process was paused by collections.", () => GC.GetTotalPauseDuration().TotalSeconds);
        Gauge("dotnet_threadpool_threads", "Threads of the pool.", () => ThreadPool.ThreadCount);
        Gauge("dotnet_threadpool_queue_length", "Work items that wait for a thread.", () => ThreadPool.PendingWorkItemCount);
        Counter("dotnet_threadpool_completed_total", "Work items that the pool has run.", () => ThreadPool.CompletedWorkItemCount);
        Counter("dotnet_lock_contentions_total", "Times that a thread waited for a lock.", () => Monitor.LockContentionCount);
        Gauge("process_resident_memory_bytes", "Working set.", () => Environment.WorkingSet);
        Counter("process_cpu_seconds_total", "Processor time used.", () => Environment.CpuUsage.TotalTime.TotalSeconds);

        void Counter(string name, string help, Func<double> value) => registry.Counter("runtime", name, help, Labels.None, (_, sink) => sink.Sample(LabelSet.None, value()));
        void Gauge(string name, string help, Func<double> value) => registry.Gauge("runtime", name, help, Labels.None, (_, sink) => sink.Sample(LabelSet.None, value()));
    }
}
