namespace Danube.Fast.Server;

/// <summary>The broker cannot start here; the message is one sentence for the operator.</summary>
public sealed class BrokerStartException(string message, Exception cause) : Exception(message, cause);
