using System.Collections;
using Danube.Fast.LoadManager;
using Danube.Fast.Server.Telemetry;

namespace Danube.Fast.Server.Configuration;

/// <summary>Puts the options together: defaults, then the YAML file, then the environment, then flags.</summary>
internal static class ConfigLoader
{
    /// <exception cref="ConfigException">A key is unknown or a value is not allowed.</exception>
    public static BrokerOptions Load(string? yamlFile, IDictionary environment, IEnumerable<(string Flag, string Path, string Value)> flags)
    {
        var options = new BrokerOptions();
        if (yamlFile is not null)
        {
            options = YamlConfig.Apply(options, yamlFile);
        }

        options = EnvironmentConfig.Apply(options, environment);
        foreach ((string flag, string path, string value) in flags)
        {
            try
            {
                options = ConfigSchema.Find(path)!.Apply(options, value);
            }
            catch (FormatException e)
            {
                throw new ConfigException($"{flag} is '{value}', but it {e.Message}.");
            }
        }

        Check(options);
        return options;
    }

    /// <summary>What single keys cannot check.</summary>
    public static void Check(BrokerOptions options)
    {
        if (options.Timeouts.DeadAfterMs <= options.Timeouts.PingAfterMs)
        {
            throw new ConfigException(
                $"'timeouts.dead_after_ms' is {options.Timeouts.DeadAfterMs}, but it must be more than 'timeouts.ping_after_ms' ({options.Timeouts.PingAfterMs}): a silent peer is pinged before it is given up.");
        }

        if (LoadManagerValidation.Check(options.LoadManager) is [_, ..] faults)
        {
            throw new ConfigException(string.Join(" ", faults.Select(f => $"'{f.Key}' {f.Sentence}")));
        }
        ClusterChecks.Check(options);

        // The value may hold a password: it is not repeated.
        if (!OtlpHeaders.AreGood(options.Otlp.Headers))
        {
            throw new ConfigException("'otlp.headers' must be name=value, or several of them with commas between them.");
        }

        if (options.Port != 0 && options.Port == options.HttpPort && options.ListenAddress.Equals(options.HttpAddress))
        {
            throw new ConfigException($"'listen.port' and 'http.port' are both {options.Port}; they need different ports.");
        }
    }
}
