using System.Collections;

namespace Danube.Fast.Server.Configuration;

/// <summary>Applies variables <c>DANUBE__SECTION__KEY</c>. A variable with the prefix that names no key is an error.</summary>
internal static class EnvironmentConfig
{
    public const string Prefix = "DANUBE__";
    public const string Separator = "__";

    public static BrokerOptions Apply(BrokerOptions options, IDictionary variables)
    {
        IEnumerable<DictionaryEntry> ours = variables.Cast<DictionaryEntry>()
            .Where(v => ((string)v.Key).StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            .OrderBy(v => (string)v.Key, StringComparer.Ordinal);
        foreach (DictionaryEntry variable in ours)
        {
            options = Apply(options, (string)variable.Key, (string?)variable.Value ?? "");
        }

        return options;
    }

    private static BrokerOptions Apply(BrokerOptions options, string name, string value)
    {
        string path = name[Prefix.Length..].Replace(Separator, ".", StringComparison.Ordinal).ToLowerInvariant();
        ConfigKey key = ConfigSchema.Find(path)
            ?? throw new ConfigException($"Environment variable {name} names no configuration key. Did you mean {ConfigSchema.Find(ConfigSchema.Nearest(path))!.Variable}?");
        try
        {
            return key.Apply(options, value);
        }
        catch (FormatException e)
        {
            throw new ConfigException($"Environment variable {name} is '{value}', but it {e.Message}.");
        }
    }
}
