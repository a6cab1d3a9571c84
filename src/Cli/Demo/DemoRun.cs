using System.Diagnostics;
using System.Globalization;
using Danube.Fast.Cli.Terminal;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Demo;

/// <summary>One run of <c>demo</c>. All files are below <paramref name="folder"/>; the caller removes it.</summary>
internal sealed class DemoRun(string folder, string? file, int lines, TextWriter output, TextWriter error)
{
    private const string Topic = "/demo/lines";
    private const string Subscription = "demo";

    private readonly DemoOutcome _outcome = new(output, error);

    /// <summary>Runs everything; returns the exit code.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        DemoInput input = Prepare();
        _outcome.Say($"input        {(file is null ? "generated" : input.Path)}: {input.Lines:N0} lines, {ByteSize.Megabytes(input.Bytes)}");
        string received = Path.Combine(folder, "received");
        await using (BrokerProcess broker = await BrokerProcess.StartAsync(
            ChildProcess.Broker, Path.Combine(folder, "data"), Path.Combine(folder, "broker.log"), cancellationToken))
        {
            _outcome.Say($"broker       process {broker.ProcessId} at {broker.Url}, data in {folder}");
            await TransferAsync(broker, input, received, cancellationToken);
            _outcome.Verify(await broker.StopAsync() == 0, "the broker did not stop cleanly");
        }

        bool same = input.HasSameBytesAs(received, out long difference);
        _outcome.Verify(same, $"what was received differs from the input at byte {difference:N0}");
        if (await _outcome.HasFailedAsync())
        {
            return CliCommandLine.Failure;
        }

        _outcome.Say($"verified     {input.Lines:N0} messages byte for byte, in order, offsets 0 to {input.Lines - 1:N0} without a gap, all acknowledged");
        _outcome.Say("stopped      the broker; the folder is removed");
        return CliCommandLine.Success;
    }

    private DemoInput Prepare()
    {
        if (file is not null)
        {
            return DemoInput.Inspect(file);
        }

        string generated = Path.Combine(folder, "lines.txt");
        DemoInput.Generate(generated, lines);
        return DemoInput.Inspect(generated);
    }

    private async Task TransferAsync(BrokerProcess broker, DemoInput input, string received, CancellationToken cancellationToken)
    {
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url, null, cancellationToken);
        await client.CreateTopicAsync(new TopicSpec { Topic = Topic, Durability = "fsync" }, cancellationToken);
        await using ConsumerProcess consumer =
            await ConsumerProcess.StartAsync(broker.Url, Topic, Subscription, received, input, cancellationToken);
        _outcome.Say($"consumer     process {consumer.ProcessId}, subscribed");

        var publisher = new DemoPublisher();
        using var http = new HttpClient();
        var probe = new AllocationProbe(http, broker.Http, () => publisher.Acknowledged);
        await probe.CalibrateAsync(cancellationToken);

        // Whatever fails first ends the others, so that nobody waits for messages that never come.
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        long started = Stopwatch.GetTimestamp();
        Task<TimeSpan> publishing = publisher.RunAsync(client, Topic, input, together.Token);
        Task<(DemoReport Report, TimeSpan Time)> consuming = FollowAsync(consumer, started, together.Token);
        Task<(double BytesPerMessage, long Messages)?> measuring = probe.MeasureAsync(input.Lines, together.Token);
        await ShowProgressAsync(
            () => AllOrNothing.WhenAllAsync(together, publishing, consuming, measuring), publisher, consumer, input);

        (DemoReport report, TimeSpan time) = await consuming;
        Print(publisher, report, input, await publishing, time, await measuring);
        _outcome.Verify(report.Messages == input.Lines, $"{report.Messages:N0} messages were received");
        _outcome.Verify(report.OffsetError is null, "offsets are not dense: " + report.OffsetError);
        TopicInfo topic = await client.DescribeTopicAsync(Topic, cancellationToken);
        SubscriptionInfo? subscription = topic.Subscriptions.FirstOrDefault(s => s.Name == Subscription);
        _outcome.Verify(topic.DurableEnd == input.Lines, $"the topic ends at offset {topic.DurableEnd:N0}");
        _outcome.Verify(subscription is { Backlog: 0 }, $"{subscription?.Backlog:N0} messages are not acknowledged");
    }

    private static async Task<(DemoReport Report, TimeSpan Time)> FollowAsync(
        ConsumerProcess consumer, long started, CancellationToken cancellationToken)
    {
        DemoReport report = await consumer.ReportAsync(cancellationToken);
        return (report, Stopwatch.GetElapsedTime(started));
    }

    private async Task ShowProgressAsync(Func<Task> work, DemoPublisher publisher, ConsumerProcess consumer, DemoInput input)
    {
        if (ProgressDisplay.IsPossible)
        {
            await ProgressDisplay.RunAsync(
                work,
                new ProgressLine("published", input.Lines, () => publisher.Acknowledged),
                new ProgressLine("consumed", input.Lines, () => consumer.Received));
            return;
        }

        Task running = work();
        while (!running.IsCompleted)
        {
            long next = Math.Min(4, (publisher.Acknowledged * 4 / input.Lines) + 1) * input.Lines / 4;
            while (publisher.Acknowledged < next && !running.IsCompleted)
            {
                await Task.WhenAny(running, Task.Delay(20));
            }

            _outcome.Say($"progress     published {100.0 * publisher.Acknowledged / input.Lines:N0} %, consumed {100.0 * consumer.Received / input.Lines:N0} %");
            if (next == input.Lines)
            {
                break;
            }
        }

        await running;
    }

    private void Print(
        DemoPublisher publisher, DemoReport report, DemoInput input, TimeSpan published, TimeSpan consumed, (double BytesPerMessage, long Messages)? allocated)
    {
        _outcome.Say($"published    {Rate(input, published)}, fsync");
        _outcome.Say($"consumed     {Rate(input, consumed)}, from the first publish to the last acknowledgement");
        _outcome.Say($"publish-ack  p50 {Milliseconds(publisher.Latencies.Percentile(50))}, p99 {Milliseconds(publisher.Latencies.Percentile(99))}, at full speed with a full window");
        _outcome.Say($"end to end   p50 {Milliseconds(report.EndToEndP50Micros)}, p99 {Milliseconds(report.EndToEndP99Micros)}, at full speed with a full window");
        _outcome.Say(allocated is { } a
            ? $"allocated    {a.BytesPerMessage:N2} bytes per message in the broker, over {a.Messages:N0} messages of the steady part"
            : "allocated    not measured: the file is too small for a steady part");
    }

    private static string Rate(DemoInput input, TimeSpan time) => string.Create(
        CultureInfo.InvariantCulture,
        $"{input.Lines / time.TotalSeconds:N0} messages/s, {ByteSize.Megabytes(input.Bytes / time.TotalSeconds)}/s, {time.TotalSeconds:N2} s");

    private static string Milliseconds(long micros) => string.Create(CultureInfo.InvariantCulture, $"{micros / 1000.0:N2} ms");
}
