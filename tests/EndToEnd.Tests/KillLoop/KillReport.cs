using System.Globalization;
using System.Text;
using System.Text.Json;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>What a run of the kill loop has done and found, as text and JSON under <c>artifacts/kill-loop</c>.</summary>
internal sealed class KillReport
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly List<(string Name, object Value)> _figures = [];
    private readonly Dictionary<KillMoment, int> _moments = [];
    private readonly List<double> _listenMs = [];
    private readonly List<double> _publishMs = [];
    private long _recoveredLogs, _scannedBytes, _leftBehindBytes;

    /// <summary>Rounds whose audit was passed.</summary>
    public int AuditedRounds { get; set; }

    /// <summary>Broker processes that came up.</summary>
    public int Starts { get; private set; } = 1;

    /// <summary>The median of the times until a broker listens.</summary>
    public double TypicalListenMs => _listenMs.Count == 0 ? 200 : _listenMs.Order().ElementAt(_listenMs.Count / 2);

    public int Kills => _moments.Where(m => m.Key != KillMoment.CleanStop).Sum(m => m.Value);

    public void OnEnd(KillMoment moment) => _moments[moment] = _moments.GetValueOrDefault(moment) + 1;

    /// <summary>Milliseconds from the start of the process: until it listens, and until the first publish on a <c>fsync</c> topic is acknowledged. Null: it died before.</summary>
    public void OnStarted(double? listenMs, double? publishMs)
    {
        Starts++;
        _listenMs.AddRange(listenMs is { } listen ? [listen] : []);
        _publishMs.AddRange(publishMs is { } publish ? [publish] : []);
    }

    /// <summary>What the broker says that it has recovered.</summary>
    public void OnScanned(long logs, long bytes, long leftBehind)
    {
        _recoveredLogs += logs;
        _scannedBytes += bytes;
        _leftBehindBytes += leftBehind;
    }

    public void Add(string name, object value) => _figures.Add((name, value));

    /// <summary>Writes both files and says the result.</summary>
    public void Write(string result)
    {
        (string Name, object Value)[] all =
        [
            ("result", result),
            ("rounds audited", AuditedRounds),
            ("kill -9", Kills),
            .. Enum.GetValues<KillMoment>().Select(m => ($"  {Text(m)}", (object)_moments.GetValueOrDefault(m))),
            .. _figures,
            ("logs recovered / bytes scanned / unacknowledged bytes left behind", string.Create(CultureInfo.InvariantCulture, $"{_recoveredLogs:#,0} / {_scannedBytes:#,0} / {_leftBehindBytes:#,0}")),
            ("start to listening, ms", Percentiles(_listenMs)),
            ("start to first publish acknowledged (fsync), ms", Percentiles(_publishMs)),
        ];
        string folder = Path.Combine(BrokerLocator.RepositoryRoot(), "artifacts", "kill-loop");
        Directory.CreateDirectory(folder);
        int width = all.Max(f => f.Name.Length);
        var text = new StringBuilder();
        foreach ((string name, object value) in all)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name.PadRight(width)}  {value:#,0}\n");
        }

        File.WriteAllText(Path.Combine(folder, "report.txt"), text.ToString());
        File.WriteAllText(Path.Combine(folder, "report.json"), JsonSerializer.Serialize(all.ToDictionary(f => f.Name.Trim(), f => f.Value), Indented));
        LongMode.Report("Kill loop", $"{Kills} kills in {AuditedRounds} audited rounds: {result}\n{text}".TrimEnd());
    }

    private static string Text(KillMoment moment) => moment switch
    {
        KillMoment.Load => "under load",
        KillMoment.Start => "during start and recovery",
        KillMoment.Ready => "right after it listens",
        KillMoment.Stop => "during a clean stop",
        KillMoment.CreateDelete => "while topics are created and deleted",
        KillMoment.Seek => "during seeks",
        KillMoment.Purge => "during purges",
        _ => "(stopped cleanly instead)",
    };

    private static string Percentiles(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0
            ? "-"
            : string.Create(CultureInfo.InvariantCulture, $"p50 {At(0.5):0}, p90 {At(0.9):0}, p99 {At(0.99):0}, max {sorted[^1]:0}");

        double At(double share) => sorted[(int)(share * (sorted.Length - 1))];
    }
}
