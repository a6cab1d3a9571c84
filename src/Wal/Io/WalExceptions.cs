namespace Danube.Fast.Wal;

/// <summary>There is no space left on the volume (or the user's quota is used up).</summary>
public sealed class DiskFullException : IOException
{
    public DiskFullException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}

/// <summary>The data directory is in use by another process.</summary>
public sealed class DataDirectoryLockedException : IOException
{
    /// <param name="path">The lock file.</param>
    /// <param name="holder">Process id of the holder as it wrote it, or null when it cannot be read.</param>
    public DataDirectoryLockedException(string path, string? holder)
        : base($"The data directory is in use: {path} is locked by {(holder is null ? "another process" : "process " + holder)}. Stop that process or choose another data directory.")
    {
        Holder = holder;
    }

    public string? Holder { get; }
}
