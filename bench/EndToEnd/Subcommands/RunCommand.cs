using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>One load of the caller's choice: throughput (as fast as it goes) or latency (open loop at a rate, from the intended send time).</summary>
internal static class RunCommand
{
    private static readonly double[] Percentiles = [50, 90, 99, 99.9, 99.99];

    public static Command Create()
    {
        Option<string> scenario = new("--scenario") { Description = "throughput, or latency (open loop; needs a --rate)", DefaultValueFactory = _ => "throughput" };
        scenario.AcceptOnlyFromAmong("throughput", "latency");
        Option<long> size = new("--size") { Description = "payload bytes", DefaultValueFactory = _ => 1024, CustomParser = CommonOptions.ParseBytes };
        Option<string> durability = new("--durability") { Description = "fsync, os or memory", DefaultValueFactory = _ => "fsync" };
        durability.AcceptOnlyFromAmong("fsync", "os", "memory");
        Option<double> duration = new("--duration") { Description = "measured seconds", DefaultValueFactory = _ => 20 };
        Option<double> warmUp = CommonOptions.WarmUp(5);
        Option<int> producers = new("--producers") { DefaultValueFactory = _ => 1 }, consumers = new("--consumers") { Description = "0 = publish only", DefaultValueFactory = _ => 1 };
        Option<int> topics = new("--topics") { DefaultValueFactory = _ => 1 };
        Option<long> batch = new("--batch") { Description = "largest batch in bytes; 0 = the client's default", CustomParser = CommonOptions.ParseBytes };
        Option<long> window = new("--window") { Description = "unacknowledged bytes per producer; 0 = the client's default", CustomParser = CommonOptions.ParseBytes };
        Option<string> rate = new("--rate") { Description = "messages per second of all producers together, or max", DefaultValueFactory = _ => "max" };
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        var command = new Command("run", "one load with a broker, a producer and a consumer process")
        {
            scenario, size, durability, duration, warmUp, producers, consumers, topics, batch, window, rate, data, json, environment,
        };
        command.SetAction(async (parse, cancellation) =>
        {
            string rateText = parse.GetValue(rate)!;
            double perSecond = 0;
            if (rateText != "max" && (!double.TryParse(rateText, out perSecond) || perSecond <= 0))
            {
                Console.Error.WriteLine($"--rate {rateText} is neither a number of messages per second nor max.");
                return 2;
            }

            if (parse.GetValue(scenario) == "latency" && perSecond == 0)
            {
                Console.Error.WriteLine("The latency scenario is an open loop: give it a --rate, about half of what the throughput scenario prints.");
                return 2;
            }

            if (parse.GetValue(consumers) > FlowGate.MaxConsumers)
            {
                Console.Error.WriteLine($"--consumers goes up to {FlowGate.MaxConsumers}.");
                return 2;
            }

            var setup = new LoadSetup
            {
                SizeBytes = Math.Max(8, (int)parse.GetValue(size)),
                Durability = parse.GetValue(durability)!,
                Topics = parse.GetValue(topics),
                Producers = parse.GetValue(producers),
                Consumers = parse.GetValue(consumers),
                Rate = perSecond,
                BatchBytes = (int)parse.GetValue(batch),
                WindowBytes = parse.GetValue(window),
                DataParent = parse.GetValue(data),
                Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)),
            };
            return await RunAsync(setup, parse.GetValue(warmUp), parse.GetValue(duration), parse.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(LoadSetup setup, double warmUp, double duration, FileInfo? json, CancellationToken cancellation)
    {
        Console.WriteLine(MachineInfo.Describe());
        await using LoadSession session = await LoadSession.StartAsync(setup);
        await (session.Consumer?.RunAsync() ?? Task.CompletedTask);
        await session.Producer.RunAsync();
        LiveProgress.Show("warm-up");
        await Task.Delay(TimeSpan.FromSeconds(warmUp), cancellation);
        Task<LoadWindow> measuring = session.MeasureAsync(TimeSpan.FromSeconds(duration));
        long started = Environment.TickCount64;
        while (await Task.WhenAny(measuring, Task.Delay(500, cancellation)) != measuring)
        {
            cancellation.ThrowIfCancellationRequested();
            LiveProgress.Show($"{(Environment.TickCount64 - started) / 1000} of {duration:0} s");
        }

        LoadWindow window = await measuring;
        await session.PauseAsync();
        LiveProgress.Clear();
        Print(setup, window, json);
        return 0;
    }

    private static void Print(LoadSetup setup, LoadWindow window, FileInfo? json)
    {
        var table = new TextTable("figure", "value");
        table.Add("load", $"{setup.SizeBytes} B, {setup.Durability}, {setup.Topics} topic(s), {setup.Producers} producer(s), {setup.Consumers} consumer(s), rate {(setup.Rate > 0 ? Figures.Rate(setup.Rate) : "max")}");
        table.Add("acknowledged", $"{Figures.Rate(window.PublishRate)}, {Figures.Bandwidth(window.PublishRate * setup.SizeBytes)}");
        table.Add(setup.Consumers > 0 ? "publish -> consume" : "publish", $"{Figures.Rate(window.Rate)}, {Figures.Bandwidth(window.Rate * setup.SizeBytes)}");
        table.Add("allocated B/message", $"broker {Figures.Text(window.BrokerBytesPerMessage, "0.000")}, producer {Figures.Text(window.ProducerBytesPerMessage, "0.000")}, consumer {Figures.Text(window.ConsumerBytesPerMessage, "0.000")}");
        Console.WriteLine(table);
        Console.WriteLine();
        var latency = new TextTable(["latency", .. Percentiles.Select(p => "p" + Figures.Text(p, "0.##")), "max"]);
        var report = new JsonReport("run");
        Row(setup.Rate > 0 ? "publish -> ack, from the intended send time" : "publish -> ack, from sending the batch", window.AckLatency);
        if (setup.Consumers > 0)
        {
            Row(setup.Rate > 0 ? "end to end, from the intended send time" : "end to end, from the call (1 of 64 messages)", window.EndToEndLatency);
        }

        Console.WriteLine(latency);
        report.Add(new JsonObject { ["messages_per_second"] = window.Rate, ["acknowledged_per_second"] = window.PublishRate, ["size"] = setup.SizeBytes, ["durability"] = setup.Durability });
        report.Write(json);

        void Row(string name, LatencyHistogram histogram)
        {
            latency.Add([name, .. Percentiles.Select(p => Figures.Time(histogram.Percentile(p))), Figures.Time(histogram.Max)]);
            var row = new JsonObject { ["latency"] = name, ["count"] = histogram.Count, ["max_ns"] = histogram.Max };
            foreach (double percent in Percentiles)
            {
                row["p" + Figures.Text(percent, "0.##")] = histogram.Percentile(percent);
            }

            report.Add(row);
        }
    }
}
