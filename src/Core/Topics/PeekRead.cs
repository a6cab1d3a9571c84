namespace Danube.Fast.Core;

/// <summary>One read of the log that waits, without holding a thread, for what is not in memory. Used once.</summary>
internal sealed class PeekRead : IColdReadSink
{
    private readonly TaskCompletionSource<(ReadStatus Status, LogRun Run)> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Reads at an offset. When the answer is Ok the caller releases the run.</summary>
    public static async ValueTask<(ReadStatus Status, LogRun Run)> ReadAsync(TopicLog log, long offset, int maxBytes)
    {
        var position = LogPosition.At(offset);
        ReadStatus status = log.Read(ref position, maxBytes, out LogRun run);
        if (status != ReadStatus.Cold)
        {
            return (status, run);
        }

        var read = new PeekRead();
        log.BeginColdRead(position, maxBytes, read);
        return await read._result.Task.ConfigureAwait(false);
    }

    void IColdReadSink.OnColdRead(ReadStatus status, LogRun run, LogPosition position) => _result.SetResult((status, run));
}
