using System.Diagnostics.Metrics;
using System.Globalization;
using Danube.Fast.Client;
using Danube.Fast.Core;
using Danube.Fast.Wal;
using Consumer = Danube.Fast.Client.Consumer;
using Producer = Danube.Fast.Client.Producer;

namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>The meter <c>Danube.Fast</c> shows what the page /metrics shows.</summary>
public sealed class MeterTests
{
    [Fact]
    public async Task Every_series_of_the_page_is_measured_with_the_same_value()
    {
        using var data = new DataFolder();
        await using HostedBroker broker = await HostedBroker.StartAsync(data, WalFileSystem.Native, o => o with { Topics = o.Topics with { Durability = DurabilityClass.Os } });
        await using DanubeClient client = await broker.ConnectAsync();
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/meter/t" });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = "/meter/t", Subscription = "s", Start = "earliest" });
        for (int i = 0; i < 100; i++)
        {
            await producer.SendAsync(new byte[100]);
            consumer.Ack(await consumer.ReceiveAsync());
        }

        await consumer.FlushAcksAsync();
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (true)
        {
            // The broker is at rest but for its own timers: some try sees the same moment twice.
            Dictionary<string, double> measured = Measure(), page = Read(await broker.PageAsync());
            string[] different = [.. page.Where(p => !measured.TryGetValue(p.Key, out double value) || Math.Abs(value - p.Value) > 1e-9).Select(p => $"{p.Key}: page {p.Value}, meter {measured.GetValueOrDefault(p.Key, double.NaN)}")];
            if (different.Length == 0)
            {
                Assert.Equal(page.Keys.Order(StringComparer.Ordinal), measured.Keys.Order(StringComparer.Ordinal));
                Assert.Equal(100, measured["danube_topic_messages_in_total{namespace=\"meter\",topic=\"/meter/t\",partition=\"\"}"]);
                Assert.Contains(measured.Keys, k => k.StartsWith("danube_producer_send_latency_ms_bucket{", StringComparison.Ordinal) && k.EndsWith("le=\"+Inf\"}", StringComparison.Ordinal));
                return;
            }

            Assert.False(guard.IsCancellationRequested, string.Join('\n', different));
            await Task.Delay(300);
        }
    }

    private static Dictionary<string, double> Measure()
    {
        var values = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == "Danube.Fast")
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            string labels = string.Join(',', tags.ToArray().Select(t => $"{t.Key}=\"{t.Value}\""));
            Add(values, labels.Length == 0 ? instrument.Name : $"{instrument.Name}{{{labels}}}", value);
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return values;
    }

    private static Dictionary<string, double> Read(string page)
    {
        var values = new Dictionary<string, double>();
        foreach (string line in page.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => !l.StartsWith('#')))
        {
            int at = line.LastIndexOf(' ');
            Add(values, line[..at], double.Parse(line[(at + 1)..], CultureInfo.InvariantCulture));
        }

        return values;
    }

    /// <summary>What every reading changes, because it is about the process or about readings, is left out.</summary>
    private static void Add(Dictionary<string, double> values, string series, double value)
    {
        if (!series.StartsWith("dotnet_", StringComparison.Ordinal) && !series.StartsWith("process_", StringComparison.Ordinal) && !series.StartsWith("danube_hot_path_allocated", StringComparison.Ordinal))
        {
            values.Add(series, value);
        }
    }
}
