using System.Diagnostics.Tracing;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Telemetry;

/// <summary>Hears of exports that fail, which the exporter tells nobody else, and says so in the log: at once, then once a minute at most.</summary>
internal sealed class OtlpFaults(ILogger log, Uri endpoint) : EventListener
{
    private const string ExporterSource = "OpenTelemetry-Exporter-OpenTelemetryProtocol";
    private const long PauseMs = 60_000;

    private long _silentUntil;

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == ExporterSource)
        {
            EnableEvents(eventSource, EventLevel.Warning);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        long now = Environment.TickCount64, until = Volatile.Read(ref _silentUntil);
        if (now < until || Interlocked.CompareExchange(ref _silentUntil, now + PauseMs, until) != until)
        {
            return;
        }

        object?[] payload = eventData.Payload is null ? [] : [.. eventData.Payload];
        string text = eventData.Message is null ? eventData.EventName ?? "" : string.Format(CultureInfo.InvariantCulture, eventData.Message, payload);
        Log.OtlpFailed(log, endpoint, text.ReplaceLineEndings(" "));
    }
}
