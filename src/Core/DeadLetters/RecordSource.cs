namespace Danube.Fast.Core;

/// <summary>Reads single frames of a log for one caller who may wait: also what is cold.</summary>
internal sealed class RecordSource(TopicLog log) : IColdReadSink
{
    // Enough for the usual frame; a larger one is given whole.
    private const int MaxBytes = 64 * 1024;

    private TaskCompletionSource<(ReadStatus Status, LogRun Run)>? _cold;

    /// <summary>Where to go on when <see cref="ReadAsync"/> gave nothing.</summary>
    public long Next { get; private set; }

    void IColdReadSink.OnColdRead(ReadStatus status, LogRun run, LogPosition position) => _cold!.SetResult((status, run));

    /// <summary>The run whose first frame holds the offset, to be released by the caller; null when the log does not have it any more.</summary>
    /// <exception cref="IOException">The log cannot be read.</exception>
    public async ValueTask<LogRun?> ReadAsync(long offset)
    {
        var position = LogPosition.At(offset);
        ReadStatus status = log.Read(ref position, MaxBytes, out LogRun run);
        if (status == ReadStatus.Cold)
        {
            _cold = new TaskCompletionSource<(ReadStatus, LogRun)>(TaskCreationOptions.RunContinuationsAsynchronously);
            log.BeginColdRead(position, MaxBytes, this);
            (status, run) = await _cold.Task.ConfigureAwait(false);
        }

        switch (status)
        {
            case ReadStatus.Ok:
                return run;
            case ReadStatus.BelowStart:
                Next = Math.Max(offset + 1, log.LogStart);
                return null;
            case ReadStatus.Damaged:
                Next = Math.Max(offset + 1, log.EndOfDamage(offset));
                return null;
            default:
                throw new IOException($"Offset {offset} cannot be read.", log.Failure);
        }
    }
}
