namespace Danube.Fast.Server.Configuration;

/// <summary>One key: <c>section.key</c> in YAML, <c>DANUBE__SECTION__KEY</c> in the environment.</summary>
/// <param name="Path">Lower case, sections separated by dots.</param>
/// <param name="Apply">Reads the text into the options; throws <see cref="FormatException"/> with what is allowed.</param>
internal sealed record ConfigKey(string Path, Func<BrokerOptions, string, BrokerOptions> Apply)
{
    public string Variable => EnvironmentConfig.Prefix + Path.Replace(".", EnvironmentConfig.Separator, StringComparison.Ordinal).ToUpperInvariant();
}
