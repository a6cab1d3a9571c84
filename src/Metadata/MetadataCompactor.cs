namespace Danube.Fast.Metadata;

/// <summary>
/// Lets the store forget changes that nobody will ask for any more: every <see cref="Interval"/> everything before the revision that
/// was current <see cref="Keep"/> ago. One process of a cluster does it, the one that leads.
/// Runs on: one loop, or the caller of <see cref="StepAsync"/>. Shared with: nobody.
/// </summary>
public sealed class MetadataCompactor(IMetadataStore store, TimeProvider time)
{
    /// <summary>Time between two compactions.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    /// <summary>How long changes are kept at least.</summary>
    public static readonly TimeSpan Keep = TimeSpan.FromMinutes(10);

    // No key is under it: a listing of it answers with nothing but the revision.
    private const string NoKeys = "/cluster/none/";

    private readonly Queue<(long Taken, long Revision)> _samples = [];

    /// <summary>Compacts until the token ends it; a store that does not answer is asked again the next time.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                await StepAsync(cancellationToken);
            }
            catch (IOException)
            {
                // Older changes stay a little longer.
            }
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    /// <summary>Notes the current revision, and compacts to the latest one that is old enough, if there is one.</summary>
    /// <exception cref="MetadataUnavailableException">The store did not answer in time.</exception>
    public async Task StepAsync(CancellationToken cancellationToken)
    {
        MetadataListing now = await store.ListAsync(NoKeys, cancellationToken);
        _samples.Enqueue((time.GetTimestamp(), now.Revision));
        long? target = null;
        while (_samples.TryPeek(out (long Taken, long Revision) oldest) && time.GetElapsedTime(oldest.Taken) >= Keep)
        {
            target = oldest.Revision;
            _samples.Dequeue();
        }

        if (target is { } revision)
        {
            await store.CompactAsync(revision, cancellationToken);
        }
    }
}
