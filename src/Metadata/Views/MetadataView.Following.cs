namespace Danube.Fast.Metadata;

// The loop: follows the watch, compares from time to time, and begins anew when either says so.
public sealed partial class MetadataView
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private async Task FollowForEverAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await FollowAsync();
            }
            catch (Exception e) when (!_stop.IsCancellationRequested && e is MetadataCompactedException or IOException)
            {
                await CompareUntilDoneAsync();
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    // Ends when a new watch is wanted. The watch and the listing run side by side, so that neither holds the other up.
    private async Task FollowAsync()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        await using IAsyncEnumerator<MetadataRevision> watch =
            _store.WatchAsync(_prefix, _snapshot.Revision + 1, end.Token).GetAsyncEnumerator(end.Token);
        Task<bool> next = watch.MoveNextAsync().AsTask();
        Task due = NextComparisonAsync(end.Token);
        Task<MetadataListing>? listing = null;
        long listedAfter = 0;
        long lastChange = _options.Time.GetTimestamp();
        try
        {
            while (true)
            {
                Task first = await Task.WhenAny(listing ?? due, next);
                if (first == next)
                {
                    ObjectDisposedException.ThrowIf(!await next, _store);
                    lastChange = _options.Time.GetTimestamp();
                    Show(watch.Current);
                    next = watch.MoveNextAsync().AsTask();
                }
                else if (listing is null)
                {
                    await due;
                    listedAfter = BeginComparison();
                    listing = _store.ListAsync(_prefix, end.Token).AsTask();
                }
                else
                {
                    bool differed = await TryCompareAsync(listing, listedAfter);
                    due = listing.IsCompletedSuccessfully ? NextComparisonAsync(end.Token) : Task.Delay(RetryAfter, _options.Time, end.Token);
                    listing = null;
                    if (differed || _options.Time.GetElapsedTime(lastChange) >= _options.WatchIdleLimit)
                    {
                        return;
                    }
                }
            }
        }
        finally
        {
            // An iterator must not be let go in the middle of a step.
            await end.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await (listing ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> TryCompareAsync(Task<MetadataListing> listing, long listedAfter)
    {
        try
        {
            return Compare(await listing, listedAfter);
        }
        catch (IOException)
        {
            return false; // The watch may still be good; the next comparison comes soon.
        }
    }

    private async Task CompareUntilDoneAsync()
    {
        while (true)
        {
            try
            {
                long listedAfter = BeginComparison();
                Compare(await _store.ListAsync(_prefix, _stop.Token), listedAfter);
                return;
            }
            catch (IOException)
            {
                await Task.Delay(RetryAfter, _options.Time, _stop.Token);
            }
        }
    }

    private async Task NextComparisonAsync(CancellationToken cancellationToken)
    {
        Task wanted;
        lock (_lock)
        {
            wanted = _compareNow.Task;
        }

        try
        {
            TimeSpan interval = _options.ReconcileInterval * (0.9 + (0.2 * Random.Shared.NextDouble()));
            await wanted.WaitAsync(interval, _options.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Nobody is waiting: the regular comparison.
        }

        lock (_lock)
        {
            _compareNow = NewPulse();
        }
    }

    // The revision that is shown now: a listing that was asked for later has at least this one.
    private long BeginComparison()
    {
        Interlocked.Increment(ref _comparisonsBegun);
        return _snapshot.Revision;
    }

    // True when the view was not what the store says, or the store has gone back to an older state: then the watch waits for revisions that come a
    // second time. What the watch brings later but is older than the listing is not shown again.
    private bool Compare(MetadataListing listing, long listedAfter)
    {
        Interlocked.Increment(ref _reconciliations);
        Volatile.Write(ref _confirmed, _options.Time.GetTimestamp());
        bool differed = false;
        if (listing.Revision >= _snapshot.Revision || listing.Revision < listedAfter)
        {
            List<MetadataChange> changes = _snapshot.ChangesTo(listing);
            bool first = listedAfter == 0;
            ShowNow(new MetadataRevision(listing.Revision, changes));
            if (changes.Count > 0 && !first)
            {
                Interlocked.Increment(ref _repairs);
            }

            differed = !first && (changes.Count > 0 || listing.Revision < listedAfter);
        }

        // Else the watch was quicker than the listing: it works.
        Interlocked.Exchange(ref _compared, Interlocked.Read(ref _comparisonsBegun));
        WakeWaiters();
        return differed;
    }

    private void Show(MetadataRevision revision)
    {
        Volatile.Write(ref _confirmed, _options.Time.GetTimestamp());
        if (revision.Revision > _snapshot.Revision)
        {
            ShowNow(revision);
        }
    }

    private void ShowNow(MetadataRevision revision)
    {
        lock (_lock)
        {
            _snapshot = _snapshot.After(revision);
        }

        if (revision.Changes.Count > 0)
        {
            _onChange(revision);
        }

        Interlocked.Exchange(ref _told, revision.Revision);
        WakeWaiters();
    }

    private void WakeWaiters()
    {
        TaskCompletionSource moved;
        lock (_lock)
        {
            moved = _moved;
            _moved = NewPulse();
        }

        moved.SetResult();
    }
}
