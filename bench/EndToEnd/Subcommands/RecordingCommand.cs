using System.CommandLine;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>
/// P8: what recording metrics costs on the publish path. The processor time that the broker spends per frame is taken from a real run, the time that recording a frame
/// takes from a micro-benchmark of the same code; a comparison of runs with and without recording would drown in their spread.
/// </summary>
internal static class RecordingCommand
{
    private const double Target = 0.01;

    public static Command Create()
    {
        Option<int> rounds = CommonOptions.Rounds(5);
        Option<double> seconds = CommonOptions.Seconds(3), warmUp = CommonOptions.WarmUp(6);
        Option<string?> data = CommonOptions.Data();
        Option<FileInfo?> json = CommonOptions.Json();
        var command = new Command("p8", "cost of recording metrics on the publish path") { rounds, seconds, warmUp, data, json };
        command.SetAction(async (parse, cancellation) =>
        {
            var timing = new Timing(parse.GetValue(rounds), parse.GetValue(seconds), 0, parse.GetValue(warmUp));
            return await RunAsync(timing, new LoadSetup { Consumers = 0, DataParent = parse.GetValue(data) }, parse.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(Timing timing, LoadSetup common, FileInfo? json, CancellationToken cancellation)
    {
        Console.WriteLine(MachineInfo.Describe(common.DataParent));
        MicroFigure recording = (await MicroBenchmarks.MeasureAsync(["*.RecordingBenchmarks.PublishFrame"], cancellation)).Values.Single();
        Console.WriteLine($"Recording one published frame: {Figures.Text(recording.MeanNs, "0.0")} ns ({Figures.Text(recording.MinNs, "0.0")} .. {Figures.Text(recording.MaxNs, "0.0")}).");
        var table = new TextTable("P8", "messages/s", "messages per frame", "broker's processor time per frame", "spread", "share of recording", "target", "");
        var report = new JsonReport("p8");
        foreach ((string durability, bool oneAtATime) in new[] { ("fsync", false), ("os", false), ("os", true) })
        {
            // One message at a time is the least that a frame can hold, so recording weighs most.
            LoadSetup setup = common with { Durability = durability, OneAtATime = oneAtATime };
            string load = $"1 KiB, {durability}, {(oneAtATime ? "one message at a time" : "as fast as it goes")}";
            (List<double> perFrame, double rate, double messages) = await MeasureAsync(setup, timing, cancellation);
            double frame = Figures.Median(perFrame), share = recording.MeanNs / frame;
            string percent = Figures.Text(share * 100, "0.00") + " %";
            table.Add(
                load, Figures.Rate(rate), Figures.Text(messages, "0.0"), Figures.Time(frame), $"{Figures.Time(perFrame.Min())} .. {Figures.Time(perFrame.Max())}",
                percent, "< 1 %", Figures.Verdict(share < Target));
            report.Add(new JsonObject { ["durability"] = durability, ["one_at_a_time"] = oneAtATime, ["recording_ns"] = recording.MeanNs, ["frame_ns"] = frame, ["messages_per_frame"] = messages, ["share"] = share, ["is_met"] = share < Target });
            report.Judge(new Judgement("P8", $"recording metrics of one published frame, {load}", $"{percent} ({Figures.Text(recording.MeanNs, "0.0")} ns)", $"broker {Figures.Time(frame)} of processor time per frame", "< 1 %", share < Target));
        }

        Console.WriteLine(table);
        report.Write(json);
        return 0;
    }

    private static async Task<(List<double> PerFrame, double Rate, double MessagesPerFrame)> MeasureAsync(LoadSetup setup, Timing timing, CancellationToken cancellation)
    {
        LiveProgress.Show($"{setup.Durability}: publishing");
        await using LoadSession session = await LoadSession.StartAsync(setup);
        await session.RunAsync();
        await session.WatchAsync(TimeSpan.FromSeconds(timing.WarmUpSeconds), s => LoadRun.Show("warm-up", s), cancellation);
        var perFrame = new List<double>();
        var rates = new List<double>();
        double messages = 0, frames = 0;
        for (int i = 0; i < timing.Rounds; i++)
        {
            BrokerMetrics before = await BrokerMetrics.ReadAsync(session.Broker.Http, cancellation);
            LoadWindow window = await session.MeasureAsync(TimeSpan.FromSeconds(timing.RoundSeconds), s => LoadRun.Show($"round {i + 1}", s), cancellation);
            BrokerMetrics after = await BrokerMetrics.ReadAsync(session.Broker.Http, cancellation);
            double stored = Grown("danube_topic_frames_in_total");
            perFrame.Add(Grown("process_cpu_seconds_total") * 1e9 / Math.Max(1, stored));
            rates.Add(window.PublishRate);
            messages += window.Acknowledged;
            frames += stored;

            double Grown(string name) => after.Sum(name) - before.Sum(name);
        }

        await session.PauseAsync();
        LiveProgress.Clear();
        return (perFrame, Figures.Median(rates), messages / Math.Max(1, frames));
    }
}
