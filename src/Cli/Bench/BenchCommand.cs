using System.CommandLine;

namespace Danube.Fast.Cli.Bench;

/// <summary><c>bench</c>: how fast is this broker, from here.</summary>
internal static class BenchCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        var topic = new Option<string?>("--topic", "-t") { Description = "Topic to use; without it one for this run alone, deleted at the end." };
        topic.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } name && !SharedOptions.IsTopicName(name))
            {
                result.AddError(SharedOptions.TopicNameRule(name));
            }
        });
        Option<long?> seconds = SharedOptions.Number("--seconds", 1, "Measured time; 5 without it. One second before it is not counted.");
        var size = new Option<string?>("--size") { Description = "Bytes of a message, for example 100 or 4K; 1K without it." };
        size.Validators.Add(result =>
        {
            if (!ByteSize.TryParse(result.GetValueOrDefault<string?>() ?? "", out int bytes) || bytes > MaxMessageBytes)
            {
                result.AddError($"--size takes 1 to {MaxMessageBytes} bytes, for example 100 or 4K.");
            }
        });
        var batch = new Option<string?>("--batch") { Description = "Most bytes of a batch, for example 64K." };
        batch.Validators.Add(result =>
        {
            if (!ByteSize.TryParse(result.GetValueOrDefault<string?>() ?? "", out _))
            {
                result.AddError("--batch takes a size like 65536, 64K or 1M.");
            }
        });
        var compression = new Option<string?>("--compression") { Description = "Compression of the batches." };
        compression.AcceptOnlyFromAmong("none", "deflate", "brotli");
        Option<string?> durability = SharedOptions.Durability("Durability of the topic when this creates it; without it the broker's default.");
        Option<long?> producers = SharedOptions.Number("--producers", 1, "Producers; 1 without it.");
        Option<long?> consumers = SharedOptions.Number("--consumers", 0, "Consumers, each with a subscription of its own that gets everything; 1 without it.");
        var rate = new Option<double?>("--rate") { Description = "Messages per second over all producers; without it as fast as it goes, and then the latencies are those of full windows." };
        rate.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is not > 0)
            {
                result.AddError("--rate takes a number above 0.");
            }
        });

        var command = new Command("bench", "Publishes and consumes for some seconds against a running broker and prints rates and latencies.")
        {
            url, topic, seconds, size, rate, batch, compression, durability, producers, consumers,
        };
        command.Runs(error, (parsed, cancellationToken) => new BenchRun(new BenchSettings
        {
            Url = parsed.GetValue(url)!,
            Topic = parsed.GetValue(topic),
            Length = TimeSpan.FromSeconds(Math.Min(parsed.GetValue(seconds) ?? 5, MaxSeconds)),
            MessageBytes = ByteSize.TryParse(parsed.GetValue(size) ?? "", out int bytes) ? bytes : 1024,
            BatchBytes = ByteSize.TryParse(parsed.GetValue(batch) ?? "", out int batchBytes) ? batchBytes : null,
            Compression = parsed.GetValue(compression),
            Durability = parsed.GetValue(durability),
            Producers = (int)Math.Min(parsed.GetValue(producers) ?? 1, MaxClients),
            Consumers = (int)Math.Min(parsed.GetValue(consumers) ?? 1, MaxClients),
            Rate = parsed.GetValue(rate),
        }, output, error).RunAsync(cancellationToken));
        return command;
    }

    private const int MaxMessageBytes = 4 * 1024 * 1024, MaxSeconds = 24 * 3600, MaxClients = 1000;
}
