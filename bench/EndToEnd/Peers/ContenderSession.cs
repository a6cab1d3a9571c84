using System.Diagnostics;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Peers;

/// <summary>One round of one contender: a server, a producer process, a consumer process where the scenario has one.</summary>
internal abstract class ContenderSession(PeerScenario scenario, double rate) : IAsyncDisposable
{
    protected abstract int ServerProcess { get; }
    protected abstract WorkerProcess Producer { get; }
    protected abstract WorkerProcess? Consumer { get; }

    /// <summary>Warm-up, measured window, and the count of every message.</summary>
    /// <exception cref="InvalidOperationException">A message is missing, was seen twice or in the wrong order.</exception>
    public async Task<PeerSample> MeasureAsync(PeerPlan plan, CancellationToken cancellation)
    {
        await (Consumer?.RunAsync() ?? Task.CompletedTask);
        await Producer.RunAsync();
        await Task.Delay(TimeSpan.FromSeconds(plan.WarmUpOf(scenario)), cancellation);
        await Producer.ClearAsync();
        await (Consumer?.ClearAsync() ?? Task.CompletedTask);
        int[] clients = Consumer is null ? [Producer.ProcessId] : [Producer.ProcessId, Consumer.ProcessId];
        WorkerProcess counter = Consumer ?? Producer;
        var server = ProcessorTime.Of(ServerProcess);
        ProcessorTime[] client = [.. clients.Select(ProcessorTime.Of)];
        var machine = ProcessorTime.OfMachine();
        long started = Stopwatch.GetTimestamp();
        WorkerSnapshot before = await NextChangeAsync(counter, cancellation);
        await Task.Delay(TimeSpan.FromSeconds(plan.Seconds), cancellation);
        WorkerSnapshot after = await NextChangeAsync(counter, cancellation);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
        var serverAfter = ProcessorTime.Of(ServerProcess);
        ProcessorTime[] clientAfter = [.. clients.Select(ProcessorTime.Of)];
        double serverCores = serverAfter.CoresSince(server, elapsed), clientCores = clientAfter.Zip(client, (a, b) => a.CoresSince(b, elapsed)).Sum();
        long messages = Progress(after) - Progress(before);
        return new PeerSample
        {
            Rate = messages / Stopwatch.GetElapsedTime(before.Ticks, after.Ticks).TotalSeconds,
            WantedRate = rate,
            Latency = LatencyHistogram.FromSparse(after.Latency),
            ServerCores = serverCores,
            OtherCores = Math.Max(0, ProcessorTime.OfMachine().CoresSince(machine, elapsed) - serverCores - clientCores),
            ServerThread = serverAfter.BusiestThreadSince(server, elapsed),
            ClientCores = clientCores,
            ClientThread = clientAfter.Zip(client, (a, b) => a.BusiestThreadSince(b, elapsed)).Max(),
            Counted = await FinishAsync(cancellation),
        };
    }

    public abstract ValueTask DisposeAsync();

    /// <summary>Messages that the server says it holds.</summary>
    protected abstract Task<long> CountAsync();

    /// <summary>True when the server counts notes of its own among the messages while there is a consumer; then what the consumer received is the exact count.</summary>
    protected virtual bool CountsNotes => false;

    private long Progress(WorkerSnapshot snapshot) => Consumer is null ? snapshot.Acknowledged : snapshot.Messages;

    // A server may acknowledge thousands of messages at once and then nothing for a second: a window from one such moment to another has no broken piece at its ends.
    private async Task<WorkerSnapshot> NextChangeAsync(WorkerProcess counter, CancellationToken cancellation)
    {
        const int Patience = 20_000, PollMs = 5;
        WorkerSnapshot first = await counter.SnapAsync(), now = first;
        for (long started = Environment.TickCount64; Progress(now) == Progress(first) && Environment.TickCount64 - started < Patience;)
        {
            await Task.Delay(PollMs, cancellation);
            now = await counter.SnapAsync();
        }

        return now;
    }

    // The producer stops when everything was acknowledged; then the server and the consumer must have exactly as much.
    private async Task<long> FinishAsync(CancellationToken cancellation)
    {
        const int Patience = 60_000;
        WorkerSnapshot sent = await Producer.PauseAsync();
        WorkerSnapshot? received = Consumer is null ? null : await Consumer.SnapAsync();
        long started = Environment.TickCount64;
        while (received is not null && received.Messages < sent.Messages && Environment.TickCount64 - started < Patience)
        {
            await Task.Delay(20, cancellation);
            received = await Consumer!.SnapAsync();
        }

        long stored = await CountAsync();
        bool isStored = stored == sent.Messages || (CountsNotes && received is not null && stored > sent.Messages);
        bool isComplete = sent.Acknowledged == sent.Messages && isStored && (received is null || (received.Messages == sent.Messages && received.OutOfOrder == 0));
        return isComplete ? sent.Messages : throw new InvalidOperationException(
            $"{scenario.Name}: {sent.Messages:N0} messages were sent, {sent.Acknowledged:N0} acknowledged, {stored:N0} stored, "
            + (received is null ? "nobody consumed." : $"{received.Messages:N0} received, {received.OutOfOrder:N0} out of order."));
    }
}
