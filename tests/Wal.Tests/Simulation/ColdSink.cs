using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Keeps the answers of cold reads, and gives the bytes back at once.</summary>
internal sealed class ColdSink : IColdReadSink
{
    public List<ReadStatus> Answers { get; } = [];

    public void OnColdRead(ReadStatus status, LogRun run, LogPosition position)
    {
        Answers.Add(status);
        run.Owner?.Release();
    }
}
