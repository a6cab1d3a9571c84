namespace Danube.Fast.Wal.Tests;

/// <summary>A folder that goes with the test.</summary>
internal sealed class TempDirectory : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("danube-wal-").FullName;

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
