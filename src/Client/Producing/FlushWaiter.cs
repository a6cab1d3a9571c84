namespace Danube.Fast.Client;

/// <summary>A flush that waits for everything before it. Under the producer's lock, but for <see cref="Done"/>.</summary>
internal sealed class FlushWaiter
{
    /// <summary>Messages that must be settled.</summary>
    public long Target { get; set; }
    public DanubeException? Error { get; set; }
    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
