namespace Danube.Fast.Server.Configuration;

/// <summary>One key: <c>section.key</c> in YAML, <c>DANUBE__SECTION__KEY</c> in the environment.</summary>
/// <param name="Path">Lower case, sections separated by dots.</param>
/// <param name="Apply">Reads the text into the options; throws <see cref="FormatException"/> with what is allowed.</param>
internal sealed record ConfigKey(string Path, Func<BrokerOptions, string, BrokerOptions> Apply)
{
    /// <summary>True for a list: in YAML it is written as one, in the environment as YAML in one line.</summary>
    public bool IsList { get; init; }

    public string Variable => EnvironmentConfig.Prefix + Path.Replace(".", EnvironmentConfig.Separator, StringComparison.Ordinal).ToUpperInvariant();
}
