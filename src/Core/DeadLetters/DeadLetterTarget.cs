namespace Danube.Fast.Core;

/// <summary>
/// A dead-letter topic with a producer of one subscription on it: of this process, or of another broker. Acknowledgements, refusals and the end of
/// it are told to the sink that it was opened with.
/// Runs on: the writer of dead letters. Shared with: whoever brings acknowledgements.
/// </summary>
public abstract class DeadLetterTarget : IDisposable
{
    /// <summary>Name of the topic.</summary>
    public abstract string Name { get; }

    /// <summary>Last sequence stored under the producer's name when it was opened; 0 for none.</summary>
    public abstract ulong LastSequence { get; }

    /// <summary>Frames are taken.</summary>
    public abstract bool IsOpen { get; }

    /// <summary>The producer's window has room; without it the topic would refuse.</summary>
    public abstract bool HasRoom { get; }

    /// <summary>Appends one sealed publish frame, whose header may be changed. The acknowledgement comes to the sink.</summary>
    /// <exception cref="IOException">It is refused, or the other broker cannot be reached.</exception>
    public abstract ValueTask AppendAsync(byte[] frame, CancellationToken cancellation);

    /// <summary>Ends the producer. Idempotent.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
