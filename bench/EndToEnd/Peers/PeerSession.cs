using Danube.Fast.Bench.Peers.Servers;
using Danube.Fast.Bench.Peers.Workers;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Bench.Workers;

namespace Danube.Fast.Bench.Peers;

/// <summary>A round of a peer: a new stream on its running server, which does not run while others are measured.</summary>
internal sealed class PeerSession : ContenderSession
{
    private const int BatchBytes = 64 * 1024, AfterDeleteMs = 200;
    private const long MaxInFlightBytes = 64L << 20;

    private static readonly Dictionary<string, string> NoVariables = [];

    private readonly PeerServer _server;
    private readonly string[] _streams;
    private readonly RunFolder _folder;
    private readonly WorkerProcess _producer;
    private readonly WorkerProcess? _consumer;

    private PeerSession(PeerScenario scenario, double rate, PeerServer server, string[] streams, RunFolder folder, WorkerProcess producer, WorkerProcess? consumer)
        : base(scenario, rate)
    {
        _server = server;
        _streams = streams;
        _folder = folder;
        _producer = producer;
        _consumer = consumer;
    }

    protected override int ServerProcess => _server.ProcessId;
    protected override WorkerProcess Producer => _producer;
    protected override WorkerProcess? Consumer => _consumer;

    public static async Task<PeerSession> StartAsync(PeerScenario scenario, PeerServer server, PeerKind kind, double rate, PeerPlan plan)
    {
        server.Thaw();
        string stream = "b" + Guid.NewGuid().ToString("N")[..8];
        string[] streams = [.. PeerTarget.NamesOf(stream, scenario.Topics)];
        var folder = RunFolder.Create(plan.DataParent);
        WorkerProcess? consumer = null;
        try
        {
            Array.ForEach(streams, server.Create);
            string flow = scenario.Shape == LoadShape.Consume ? Path.Combine(folder.Path, "bench-flow") : "";
            if (flow.Length > 0)
            {
                FlowGate.Create(flow);
            }

            var job = new WorkerJob
            {
                Role = scenario.Shape == LoadShape.Single ? WorkerRole.Send : WorkerRole.Post,
                SizeBytes = scenario.SizeBytes,
                Rate = rate,
                FlowFile = flow,
                MaxInFlight = Math.Max(1000, MaxInFlightBytes / scenario.SizeBytes),
                Peer = new PeerTarget { Kind = kind, Port = server.Port, Stream = stream, Streams = scenario.Topics, Window = plan.Window, Batch = Math.Max(1, BatchBytes / scenario.SizeBytes) },
            };
            consumer = scenario.HasConsumer ? await WorkerProcess.StartAsync(job with { Role = WorkerRole.Consume }, NoVariables) : null;
            WorkerProcess producer = await WorkerProcess.StartAsync(job, NoVariables);
            return new PeerSession(scenario, rate, server, streams, folder, producer, consumer);
        }
        catch
        {
            consumer?.Kill();
            folder.Dispose();
            server.Freeze();
            throw;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _producer.DisposeAsync();
        await (_consumer?.DisposeAsync() ?? ValueTask.CompletedTask);
        _folder.Dispose();
        Array.ForEach(_streams, _server.Delete);

        // What the server removes in the background is gone before it is stopped, not while the next one is measured.
        await Task.Delay(AfterDeleteMs);
        _server.Freeze();
    }

    protected override bool CountsNotes => _server.CountsNotes;

    protected override Task<long> CountAsync() => Task.FromResult(_streams.Sum(_server.Count));
}
