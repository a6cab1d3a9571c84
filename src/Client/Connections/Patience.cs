using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>How long one call waits for a topic that no broker serves at the moment: as long as a request may take, with growing pauses.</summary>
internal sealed class Patience(DanubeClientOptions options)
{
    private readonly long _since = options.TimeProvider.GetTimestamp();
    private Backoff _pauses = new(options.ReconnectDelay, options.MaxReconnectDelay);

    /// <summary>True for a refusal of a cluster that is likely to pass soon. A topic whose broker is away can take long: the caller decides.</summary>
    /// <param name="error">The refusal.</param>
    /// <param name="wasSent">Another broker has named the one that was asked; when that one cannot be reached, the cluster will notice too.</param>
    public bool IsWorthIt(DanubeException error, bool wasSent) =>
        ((error.Redirect is not null && error.Code is ErrorCode.NotOwner or ErrorCode.OwnerUnproven) || (wasSent && error.Code is ErrorCode.Unavailable))
        && options.TimeProvider.GetElapsedTime(_since) < options.RequestTimeout;

    public Task PauseAsync(DanubeException refusal, CancellationToken cancellationToken)
    {
        TimeSpan asked = TimeSpan.FromMilliseconds(refusal.Redirect?.RetryMs ?? 0), own = _pauses.Next();
        TimeSpan pause = asked > own ? asked : own;
        return Task.Delay(pause < options.MaxReconnectDelay ? pause : options.MaxReconnectDelay, options.TimeProvider, cancellationToken);
    }
}
