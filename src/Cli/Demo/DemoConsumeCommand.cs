using System.CommandLine;
using Danube.Fast.Client;

namespace Danube.Fast.Cli.Demo;

/// <summary>
/// <c>demo-consume</c>, the second process of the demo: writes what it receives to a file, checks that offsets are dense and in order,
/// acknowledges everything and reports.
/// </summary>
internal static class DemoConsumeCommand
{
    private const int ProgressMs = 100;

    public static Command Create(TextWriter output, TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        Option<string> topic = SharedOptions.Topic();
        var subscription = new Option<string>("--subscription") { Required = true };
        var file = new Option<string>("--output") { Required = true };
        var count = new Option<long>("--count") { Required = true };
        var noFinalNewLine = new Option<bool>("--no-final-newline");
        var command = new Command("demo-consume", "The consuming process of the demo.")
        {
            url, topic, subscription, file, count, noFinalNewLine,
        };
        command.Hidden = true;
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(parsed.GetValue(url)!, null, cancellationToken);
            await using Client.Consumer consumer = await client.SubscribeAsync(
                new ConsumerOptions
                {
                    Topic = parsed.GetValue(topic)!,
                    Subscription = parsed.GetValue(subscription)!,
                    Start = "earliest",
                },
                cancellationToken);
            Say(output, DemoReport.Subscribed);
            DemoReport report = await ReceiveAsync(
                consumer, parsed.GetValue(file)!, parsed.GetValue(count), !parsed.GetValue(noFinalNewLine), output, cancellationToken);
            await consumer.FlushAcksAsync(cancellationToken);
            Say(output, report.ToLine());
            return CliCommandLine.Success;
        });
        return command;
    }

    private static async Task<DemoReport> ReceiveAsync(
        Client.Consumer consumer, string path, long count, bool endWithNewLine, TextWriter output, CancellationToken cancellationToken)
    {
        var latencies = new LatencyHistogram();
        string? offsetError = null;
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1024 * 1024);
        long nextProgress = Environment.TickCount64 + ProgressMs;
        for (long i = 0; i < count; i++)
        {
            if (!consumer.TryReceive(out Message message))
            {
                message = await consumer.ReceiveAsync(cancellationToken);
            }

            latencies.Add((DateTime.UtcNow.Ticks - message.PublishTime.UtcTicks) / TimeSpan.TicksPerMicrosecond);
            if (message.Id.Offset != i)
            {
                offsetError ??= $"message {i} has offset {message.Id.Offset}";
            }

            file.Write(message.Payload.Span);
            if (endWithNewLine || i < count - 1)
            {
                file.WriteByte((byte)'\n');
            }

            consumer.Ack(message);
            if ((i & 0x3FF) == 0 && Environment.TickCount64 >= nextProgress)
            {
                Say(output, DemoReport.Progress + i);
                nextProgress = Environment.TickCount64 + ProgressMs;
            }
        }

        return new DemoReport
        {
            Messages = count,
            OffsetError = offsetError,
            EndToEndP50Micros = latencies.Percentile(50),
            EndToEndP99Micros = latencies.Percentile(99),
        };
    }

    private static void Say(TextWriter output, string line)
    {
        output.WriteLine(line);
        output.Flush();
    }
}
