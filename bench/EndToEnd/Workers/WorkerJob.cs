using System.Text.Json.Serialization;
using Danube.Fast.Bench.Peers.Workers;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Workers;

/// <summary>What a worker process does.</summary>
public enum WorkerRole
{
    /// <summary>One call per message, the client batches by itself.</summary>
    Post,

    /// <summary>One message at a time: the next leaves when the last is acknowledged.</summary>
    Send,

    Consume,

    /// <summary>Posts round robin to very many topics over a few connections, from one thread: <see cref="WorkerJob.TopicCount"/> of them.</summary>
    Spread,
}

/// <summary>The job of one worker process, handed over as its argument.</summary>
public sealed record WorkerJob
{
    public WorkerRole Role { get; init; }
    public string Url { get; init; } = "";
    public string[] Topics { get; init; } = [];

    /// <summary>Of <see cref="WorkerRole.Spread"/>: the topics are this with 0, 1, ... behind it.</summary>
    public string TopicPrefix { get; init; } = "";

    public int TopicCount { get; init; }

    /// <summary>Of <see cref="WorkerRole.Spread"/>: messages to one topic before the next one's turn.</summary>
    public int Burst { get; init; } = 1;

    /// <summary>Of <see cref="WorkerRole.Spread"/>: messages in all after which it stops posting; 0 = no end.</summary>
    public long TotalMessages { get; init; }

    /// <summary>Producers or consumers; number i works on topic i modulo the number of topics.</summary>
    public int Clients { get; init; } = 1;

    /// <summary>Number of the first of them, when several processes share the work.</summary>
    public int FirstClient { get; init; }

    /// <summary>Connections of the process; client number i uses connection i modulo their number.</summary>
    public int Connections { get; init; } = 1;

    /// <summary>Partitions of each topic.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>Share of a payload that is random, 0 to 1; the rest is zeros.</summary>
    public double RandomShare { get; init; } = 1;

    /// <summary>Different payloads that take turns.</summary>
    public int PayloadPool { get; init; } = 1;

    /// <summary>File whose first <see cref="SizeBytes"/> bytes are the payload; empty = made up.</summary>
    public string PayloadFile { get; init; } = "";

    /// <summary>Compression of each batch.</summary>
    public Codec Compression { get; init; }

    /// <summary>Different keys; 0 = messages have none.</summary>
    public int Keys { get; init; }

    /// <summary>True: keys are drawn at random; else they take turns.</summary>
    public bool RandomKeys { get; init; }

    /// <summary>Paced producers also record how late each message was handed to the client.</summary>
    public bool RecordsDelay { get; init; }
    public int SizeBytes { get; init; } = 1024;

    /// <summary>Messages per second of all producers together; 0 = as fast as it goes.</summary>
    public double Rate { get; init; }
    public int BatchBytes { get; init; }
    public long WindowBytes { get; init; }
    public string Subscription { get; init; } = "bench";

    /// <summary>True: consumer number i has a subscription of its own, the name with <c>-i</c> behind it.</summary>
    public bool FansOut { get; init; }

    /// <summary>Subscriptions of each topic, the name with <c>-n</c> behind it when there are several. Consumer number i belongs to number (i / topics) modulo these.</summary>
    public int Subscriptions { get; init; } = 1;

    /// <summary>Null: shared when <see cref="Shared"/> is set, else exclusive.</summary>
    public SubscriptionType? Type { get; init; }

    /// <summary>File of the <see cref="FlowGate"/>; empty = none.</summary>
    public string FlowFile { get; init; } = "";

    /// <summary>Messages between posting and receiving at which an unpaced producer waits.</summary>
    public long MaxInFlight { get; init; }

    /// <summary>True when several consumers share one subscription.</summary>
    public bool Shared { get; init; }

    /// <summary>The server to speak to when it is not this project's broker.</summary>
    public PeerTarget? Peer { get; init; }
}

/// <summary>State of a worker at one moment. All counts are since its start, histograms since the last <c>clear</c>.</summary>
public sealed record WorkerSnapshot
{
    /// <summary>Stopwatch ticks when the counts were read: one clock for all processes of the machine.</summary>
    public long Ticks { get; init; }

    /// <summary>Posted or received.</summary>
    public long Messages { get; init; }

    /// <summary>Acknowledged by the broker (producers).</summary>
    public long Acknowledged { get; init; }

    /// <summary>Messages whose offset was not the expected next one (exclusive consumers).</summary>
    public long OutOfOrder { get; init; }

    /// <summary>Messages whose intended send time has passed (paced <see cref="WorkerRole.Spread"/>).</summary>
    public long Due { get; init; }
    public long AllocatedBytes { get; init; }
    public int Gen2Collections { get; init; }
    public double CpuSeconds { get; init; }

    /// <summary>Producers: until the acknowledgement. Consumers: from the intended send time until received. Sparse histogram, ns.</summary>
    public long[] Latency { get; init; } = [];

    /// <summary>Paced producers that record it: from the intended send time until the message was handed to the client. Sparse histogram, ns.</summary>
    public long[] Delay { get; init; } = [];
    public string? Error { get; init; }
}

[JsonSerializable(typeof(WorkerJob))]
[JsonSerializable(typeof(WorkerSnapshot))]
internal sealed partial class WorkerJson : JsonSerializerContext;
