namespace Danube.Fast.Server;

/// <summary>The configuration cannot be used; the message names the place, what is wrong and what is allowed.</summary>
public sealed class ConfigException(string message) : Exception(message);
