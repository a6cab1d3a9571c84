using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Limits;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// P7: managed bytes allocated per message in broker, producer and consumer over a steady run, and gen-2 collections. What remains are costs per
/// second (timers, two scrapes of /metrics, progress), so the figure falls with the length and the rate of the run; it must stay below 0.1.
/// </summary>
internal static class AllocationCommand
{
    private const double Limit = 0.1;

    public static Command Create()
    {
        Option<double> seconds = CommonOptions.Seconds(30), warmUp = CommonOptions.WarmUp(10);
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<string[]> environment = CommonOptions.Environment();
        var command = new Command("p7", "allocated bytes per message and gen-2 collections in steady state; --seconds 300 for the full run") { seconds, warmUp, data, json, environment };
        command.SetAction(async (parse, _) =>
        {
            var timing = new Timing(1, parse.GetValue(seconds), 1, parse.GetValue(warmUp));
            var setup = new LoadSetup { DataParent = parse.GetValue(data), Environment = CommonOptions.ParseEnvironment(parse.GetValue(environment)) };
            return await RunAsync(timing, setup, parse.GetValue(json));
        });
        return command;
    }

    private static async Task<int> RunAsync(Timing timing, LoadSetup common, FileInfo? json)
    {
        Console.WriteLine(MachineInfo.Describe());
        double relay = SocketLimit.Relay(64 * 1024, TimeSpan.FromSeconds(timing.LimitSeconds));
        Console.WriteLine($"Relay limit in this run: {Figures.Bandwidth(relay)}");
        var table = new TextTable("P7", "class", "messages", "messages/s", "broker B/message", "producer B/message", "consumer B/message", "gen-2 broker", "gen-2 clients", "target", "");
        var report = new JsonReport("p7");
        foreach ((int size, string durability) in new[] { (1024, "fsync"), (1024, "os"), (100, "os") })
        {
            LiveProgress.Show($"{size} B {durability}: warm-up");
            await using LoadSession session = await LoadSession.StartAsync(common with { SizeBytes = size, Durability = durability });
            await session.Consumer!.RunAsync();
            await session.Producer.RunAsync();
            await Task.Delay(TimeSpan.FromSeconds(timing.WarmUpSeconds));
            LiveProgress.Show($"{size} B {durability}: {timing.RoundSeconds:0} s");
            LoadWindow window = await session.MeasureAsync(TimeSpan.FromSeconds(timing.RoundSeconds));
            await session.PauseAsync();
            LiveProgress.Clear();
            double[] bytes = [window.BrokerBytesPerMessage, window.ProducerBytesPerMessage, window.ConsumerBytesPerMessage];
            bool isMet = bytes.Max() < Limit && window.BrokerGen2 + window.ClientGen2 == 0;
            table.Add(
                $"{size} B", durability, window.Messages.ToString("N0"), Figures.Rate(window.Rate), Figures.Text(bytes[0], "0.000"), Figures.Text(bytes[1], "0.000"), Figures.Text(bytes[2], "0.000"),
                window.BrokerGen2.ToString(), window.ClientGen2.ToString(), "0.0; 0", Figures.Verdict(isMet));
            report.Add(new JsonObject
            {
                ["size"] = size,
                ["durability"] = durability,
                ["messages"] = window.Messages,
                ["messages_per_second"] = window.Rate,
                ["broker_bytes_per_message"] = bytes[0],
                ["producer_bytes_per_message"] = bytes[1],
                ["consumer_bytes_per_message"] = bytes[2],
                ["broker_gen2"] = window.BrokerGen2,
                ["client_gen2"] = window.ClientGen2,
            });
            report.Judge(new Judgement(
                "P7", $"allocated per message, {size} B, `{durability}`, {timing.RoundSeconds:0} s",
                $"broker {Figures.Text(bytes[0], "0.000")} B, producer {Figures.Text(bytes[1], "0.000")} B, consumer {Figures.Text(bytes[2], "0.000")} B; {window.BrokerGen2 + window.ClientGen2} gen-2",
                $"{Figures.Rate(window.Rate)}", "0.0 B, 0 gen-2", isMet));
        }

        Console.WriteLine(table);
        report.Write(json);
        return 0;
    }
}
