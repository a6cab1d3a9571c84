namespace Danube.Fast.Metadata;

/// <summary>The store did not answer a read or a lease call in time. Nothing depends on it: try again later.</summary>
public sealed class MetadataUnavailableException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>The answer to a change of one key was lost: the change may have been made or not, or be made still.</summary>
public sealed class MetadataUnknownException(string key, string reason)
    : IOException($"Whether the change of '{key}' was made is not known ({reason}): read the key.");
