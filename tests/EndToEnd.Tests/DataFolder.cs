namespace Danube.Fast.EndToEnd.Tests;

/// <summary>A data folder that outlives several broker processes of one test.</summary>
internal sealed class DataFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("danube-e2e-").FullName;

    public void Dispose() => Directory.Delete(Path, true);
}
