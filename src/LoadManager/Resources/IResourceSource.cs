namespace Danube.Fast.LoadManager;

/// <summary>Reads one resource.</summary>
/// <typeparam name="T">What it yields.</typeparam>
internal interface IResourceSource<T>
    where T : struct
{
    /// <summary>Where it reads, for the log.</summary>
    string Description { get; }

    /// <summary>The reading, or null when it is a rate without an earlier reading.</summary>
    /// <exception cref="IOException">Not readable now.</exception>
    T? Read();
}
