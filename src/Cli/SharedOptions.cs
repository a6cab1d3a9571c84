using System.CommandLine;

namespace Danube.Fast.Cli;

/// <summary>Options that several commands take.</summary>
internal static class SharedOptions
{
    private const int DefaultPeek = 10, MaxPeek = 100;

    public static Option<string> Url()
    {
        var url = new Option<string>("--url")
        {
            Description = "Address of the broker, danube://HOST:PORT.",
            DefaultValueFactory = _ => "danube://127.0.0.1:6650",
        };
        url.Validators.Add(result =>
        {
            string text = result.GetValueOrDefault<string>();
            if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? parsed) || parsed.Scheme != "danube" || parsed.Host.Length == 0)
            {
                result.AddError($"--url takes an address like danube://127.0.0.1:6650, not '{text}'.");
            }
        });
        return url;
    }

    public static Option<string> Topic()
    {
        var topic = new Option<string>("--topic", "-t") { Description = "Name of the topic, /namespace/name.", Required = true };
        topic.Validators.Add(result =>
        {
            if (!IsTopicName(result.GetValueOrDefault<string>()))
            {
                result.AddError(TopicNameRule(result.GetValueOrDefault<string>()));
            }
        });
        return topic;
    }

    public static Argument<string> TopicArgument()
    {
        var topic = new Argument<string>("topic") { Description = "Name of the topic, /namespace/name." };
        topic.Validators.Add(result =>
        {
            if (!IsTopicName(result.GetValueOrDefault<string>()))
            {
                result.AddError(TopicNameRule(result.GetValueOrDefault<string>()));
            }
        });
        return topic;
    }

    public static Option<string?> Durability(string description)
    {
        var durability = new Option<string?>("--durability") { Description = description };
        durability.AcceptOnlyFromAmong("fsync", "os", "memory");
        return durability;
    }

    public static Option<LineEncoding> Encoding(string description) =>
        new("--encoding") { Description = description, DefaultValueFactory = _ => LineEncoding.Text };

    /// <summary>An option with a whole number of at least <paramref name="minimum"/>.</summary>
    public static Option<long?> Number(string name, long minimum, string description)
    {
        var number = new Option<long?>(name) { Description = description };
        number.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<long?>() < minimum)
            {
                result.AddError($"{name} takes a number of at least {minimum}.");
            }
        });
        return number;
    }

    /// <summary>An option with a length of time.</summary>
    /// <param name="name">The option.</param>
    /// <param name="description">What it says, without a full stop.</param>
    /// <param name="longest">Most that it takes.</param>
    public static Option<string?> Time(string name, string description, TimeSpan longest)
    {
        var time = new Option<string?>(name) { Description = $"{description} ({Duration.Form})." };
        time.Validators.Add(result =>
        {
            if (!Duration.TryParse(result.GetValueOrDefault<string?>(), out TimeSpan value) || value > longest)
            {
                result.AddError($"{name} takes a time of at most {longest.TotalDays:0} days, {Duration.Form}, not '{result.GetValueOrDefault<string?>()}'.");
            }
        });
        return time;
    }

    /// <summary>The value of such an option; null when it is not given.</summary>
    public static TimeSpan? Time(ParseResult parsed, Option<string?> option) => Duration.TryParse(parsed.GetValue(option), out TimeSpan time) ? time : null;

    public static Option<long?> PeekCount()
    {
        Option<long?> count = Number("--count", 1, $"How many, at most {MaxPeek}; {DefaultPeek} without it.");
        count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<long?>() > MaxPeek)
            {
                result.AddError($"--count takes at most {MaxPeek} here.");
            }
        });
        return count;
    }

    public static int PeekCount(ParseResult parsed, Option<long?> option) => (int)(parsed.GetValue(option) ?? DefaultPeek);

    public static bool IsTopicName(string name)
    {
        string[] parts = name.Split('/');
        return parts.Length == 3 && parts[0].Length == 0 && parts.Skip(1).All(
            p => p.Length > 0 && p.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'));
    }

    public static string TopicNameRule(string name) =>
        $"'{name}' is no topic name: it takes the form /namespace/name with letters, digits, '.', '_' and '-'.";
}
