using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Danube.Fast.Cli;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Scenarios;

namespace Danube.Fast.LoadTests.CommandLine;

/// <summary>The options of a run. A scenario takes those that mean something to it.</summary>
public sealed class LoadTestOptions
{
    private readonly Option<string?> _url = new("--url") { Description = "Broker to load, danube://HOST:PORT. Without it a broker of its own is started on free ports in a temporary folder, and goes with the run." };
    private readonly Option<string?> _metrics = new("--metrics") { Description = "HOST:PORT of that broker's HTTP port: its memory, processor time and allocation are reported then." };
    private readonly Option<string?> _duration = Time("--duration", "Recorded load");
    private readonly Option<string?> _warmUp = Time("--warm-up", "Load before it that is not recorded");
    private readonly Option<double?> _rate = Positive("--rate", "Messages per second that are injected.");
    private readonly Option<string?> _size = new("--size") { Description = "Payload bytes, 16 or more, for example 100 or 4K." };
    private readonly Option<string?> _durability = new("--durability") { Description = "Durability of the topics: fsync, os or memory." };
    private readonly Option<int?> _producers = Count("--producers", "Producers.");
    private readonly Option<int?> _consumers = Count("--consumers", "Consumers of the subscription; of fan-out: most subscriptions; of slow-consumers: healthy subscriptions.");
    private readonly Option<int?> _connections = Count("--connections", "Connections.");
    private readonly Option<int?> _topics = Count("--topics", "Topics, at most 65,535.");
    private readonly Option<int?> _keys = Count("--keys", "Different keys.");
    private readonly Option<double?> _publishP99 = Limit("--max-publish-p99", "Fails when the 99th percentile of publishing is above so many milliseconds; 0 = no such threshold.");
    private readonly Option<double?> _endToEndP99 = Limit("--max-end-to-end-p99", "Fails when the 99th percentile from due to received is above so many milliseconds; 0 = no such threshold.");
    private readonly Option<double?> _growth = Limit("--max-memory-growth", "Fails when the memory of the broker grows by more MB per hour (judged from an hour on).");
    private readonly Option<DirectoryInfo?> _reportDir = new("--report-dir") { Description = "Folder of the reports; artifacts/loadtests/DATE of the source tree without it." };
    private readonly Option<FileInfo?> _results = new("--results") { Description = "CSV file that gets a row for each run; artifacts/loadtests/results.csv of the source tree without it." };
    private readonly Option<bool> _quiet = new("--quiet") { Description = "No progress." };

    public LoadTestOptions()
    {
        _durability.AcceptOnlyFromAmong("fsync", "os", "memory");
        Check(_url, v => BrokerUrl.TrySplit(v, out _, out _), "an address like danube://127.0.0.1:6650");
        Check(_metrics, v => Uri.TryCreate("http://" + v, UriKind.Absolute, out Uri? uri) && uri.AbsolutePath == "/", "an address like 127.0.0.1:9040");
        Check(_size, v => ByteSize.TryParse(v, out int bytes) && bytes >= AuditedMessage.MinSize, $"{AuditedMessage.MinSize} bytes or more, for example 100 or 4K");
        _topics.Validators.Add(r => Refuse(r, r.GetValueOrDefault<int?>() > ushort.MaxValue, "--topics takes at most 65,535."));
    }

    /// <summary>Options for one scenario, or for all of them.</summary>
    public IEnumerable<Option> For(ScenarioEntry? entry)
    {
        List<Option> options = [_url, _metrics, _duration, _warmUp, _durability, _publishP99, _endToEndP99, _reportDir, _results, _quiet];
        if (entry is not null)
        {
            ScenarioSettings d = entry.Defaults;
            options.Add(_rate);
            Add(entry.Name != "mixed-sizes", _size);
            Add(d.Producers > 1, _producers);
            Add(d.Consumers > 1, _consumers);
            Add(d.Connections > 0, _connections);
            Add(d.Topics > 1, _topics);
            Add(d.Keys > 0, _keys);
            Add(entry.Name == "soak", _growth);
        }

        return options;

        void Add(bool takes, Option option)
        {
            if (takes)
            {
                options.Add(option);
            }
        }
    }

    public ScenarioSettings Apply(ParseResult parsed, ScenarioSettings defaults) => defaults with
    {
        Url = parsed.GetValue(_url) ?? "",
        During = TimeOf(parsed, _duration) ?? defaults.During,
        WarmUp = TimeOf(parsed, _warmUp) ?? defaults.WarmUp,
        Rate = parsed.GetValue(_rate) ?? defaults.Rate,
        SizeBytes = ByteSize.TryParse(parsed.GetValue(_size) ?? "", out int size) ? size : defaults.SizeBytes,
        Durability = parsed.GetValue(_durability) ?? defaults.Durability,
        Producers = parsed.GetValue(_producers) ?? defaults.Producers,
        Consumers = parsed.GetValue(_consumers) ?? defaults.Consumers,
        Connections = parsed.GetValue(_connections) ?? defaults.Connections,
        Topics = parsed.GetValue(_topics) ?? defaults.Topics,
        Keys = parsed.GetValue(_keys) ?? defaults.Keys,
        MaxPublishP99Ms = LimitOf(parsed.GetValue(_publishP99), defaults.MaxPublishP99Ms),
        MaxEndToEndP99Ms = LimitOf(parsed.GetValue(_endToEndP99), defaults.MaxEndToEndP99Ms),
        MaxMemorySlope = parsed.GetValue(_growth) ?? defaults.MaxMemorySlope,
    };

    public string? Metrics(ParseResult parsed) => parsed.GetValue(_metrics);

    public DirectoryInfo? ReportDirectory(ParseResult parsed) => parsed.GetValue(_reportDir);

    public FileInfo? Results(ParseResult parsed) => parsed.GetValue(_results);

    public bool IsQuiet(ParseResult parsed) => parsed.GetValue(_quiet);

    private static double? LimitOf(double? given, double? otherwise) => given is null ? otherwise : given == 0 ? null : given;

    private static TimeSpan? TimeOf(ParseResult parsed, Option<string?> option) => Duration.TryParse(parsed.GetValue(option), out TimeSpan time) ? time : null;

    private static Option<string?> Time(string name, string what)
    {
        var option = new Option<string?>(name) { Description = $"{what}, {Duration.Form}." };
        Check(option, v => Duration.TryParse(v, out _), "a time, " + Duration.Form);
        return option;
    }

    private static Option<double?> Positive(string name, string what)
    {
        var option = new Option<double?>(name) { Description = what };
        option.Validators.Add(r => Refuse(r, !(r.GetValueOrDefault<double?>() > 0), name + " takes a number above 0."));
        return option;
    }

    private static Option<double?> Limit(string name, string what)
    {
        var option = new Option<double?>(name) { Description = what };
        option.Validators.Add(r => Refuse(r, r.GetValueOrDefault<double?>() < 0, name + " takes 0 or more."));
        return option;
    }

    private static Option<int?> Count(string name, string what)
    {
        var option = new Option<int?>(name) { Description = what };
        option.Validators.Add(r => Refuse(r, r.GetValueOrDefault<int?>() < 1, name + " takes a number of at least 1."));
        return option;
    }

    private static void Check(Option<string?> option, Func<string, bool> isGood, string what) => option.Validators.Add(r =>
        Refuse(r, r.GetValueOrDefault<string?>() is { } text && !isGood(text), string.Create(CultureInfo.InvariantCulture, $"{option.Name} takes {what}, not '{r.GetValueOrDefault<string?>()}'.")));

    private static void Refuse(OptionResult result, bool isBad, string text)
    {
        if (isBad)
        {
            result.AddError(text);
        }
    }
}
