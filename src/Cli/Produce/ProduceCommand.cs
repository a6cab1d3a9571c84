using System.CommandLine;

namespace Danube.Fast.Cli.Produce;

/// <summary><c>produce</c>: lines become messages.</summary>
internal static class ProduceCommand
{
    public static Command Create(TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        Option<string> topic = SharedOptions.Topic();
        var file = new Option<string?>("--file", "-f") { Description = "File with one message per line; without it, or with '-', standard input." };
        var message = new Option<string[]>("--message", "-m") { Description = "A message; may be given several times. Nothing is read then." };
        var keyFrom = new Option<string?>("--key-from")
        {
            Description = "Where a line has its key: split:C (key before the first C, payload after it) or json:FIELD (a top-level member; the payload is the whole line).",
        };
        var rate = new Option<double?>("--rate") { Description = "Messages per second; without it as fast as it goes." };
        var batch = new Option<string?>("--batch") { Description = "Most bytes that go into one batch, for example 64K." };
        Option<long?> count = SharedOptions.Number("--count", 1, "Messages to send at most; with --message how often the messages are sent.");
        var compression = new Option<string?>("--compression") { Description = "Compression of the batches." };
        compression.AcceptOnlyFromAmong("none", "deflate", "brotli");
        Option<LineEncoding> encoding = SharedOptions.Encoding("How payloads are written in the lines.");
        Option<string?> durability = SharedOptions.Durability("Durability of the topic when this creates it; without it the broker's default.");
        var name = new Option<string?>("--name")
        {
            Description = "Name of the producer. Two runs with the same name are one producer to the broker; without it every run is a new one.",
        };

        Option<string?> delay = SharedOptions.Time("--delay", "How long the broker keeps each message back", TimeSpan.FromDays(49));
        Option<string?> ttl = SharedOptions.Time("--ttl", "How long each message may be delivered; without it what the topic says", TimeSpan.FromDays(3650));

        ttl.Validators.Add(result =>
        {
            if (Duration.TryParse(result.GetValueOrDefault<string?>(), out TimeSpan time) && time == TimeSpan.Zero)
            {
                result.AddError("--ttl takes a time above 0; leave it out for what the topic says.");
            }
        });
        file.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } path and not "-" && !File.Exists(path))
            {
                result.AddError($"--file: there is no file '{path}'.");
            }
        });
        keyFrom.Validators.Add(result =>
        {
            if (!KeySelector.TryParse(result.GetValueOrDefault<string?>() ?? "", out _, out string problem))
            {
                result.AddError(problem);
            }
        });
        rate.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is not > 0)
            {
                result.AddError("--rate takes a number above 0.");
            }
        });
        batch.Validators.Add(result =>
        {
            if (!ByteSize.TryParse(result.GetValueOrDefault<string?>() ?? "", out _))
            {
                result.AddError("--batch takes a size like 65536, 64K or 1M.");
            }
        });

        var command = new Command("produce", "Publishes lines: each line without its newline is one message, whatever bytes it has.")
        {
            url, topic, file, message, keyFrom, rate, batch, count, compression, encoding, durability, name, delay, ttl,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(file) is not null && result.GetResult(message) is not null)
            {
                result.AddError("Give --file or --message, not both.");
            }
        });
        command.Runs(error, (parsed, cancellationToken) =>
        {
            KeySelector? keys = null;
            if (parsed.GetValue(keyFrom) is { } keyText)
            {
                KeySelector.TryParse(keyText, out keys, out _);
            }

            return new ProduceRun(new ProduceSettings
            {
                Url = parsed.GetValue(url)!,
                Topic = parsed.GetValue(topic)!,
                Name = parsed.GetValue(name),
                Durability = parsed.GetValue(durability),
                Compression = parsed.GetValue(compression),
                BatchBytes = ByteSize.TryParse(parsed.GetValue(batch) ?? "", out int bytes) ? bytes : null,
                Rate = parsed.GetValue(rate),
                Count = parsed.GetValue(count),
                Messages = parsed.GetValue(message) ?? [],
                File = parsed.GetValue(file) is { } path and not "-" ? path : null,
                Keys = keys,
                Encoding = parsed.GetValue(encoding),
                Delay = SharedOptions.Time(parsed, delay) ?? TimeSpan.Zero,
                TimeToLive = SharedOptions.Time(parsed, ttl) ?? TimeSpan.Zero,
            }, error).RunAsync(cancellationToken);
        });
        return command;
    }
}
