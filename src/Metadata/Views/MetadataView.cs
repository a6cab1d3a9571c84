namespace Danube.Fast.Metadata;

/// <summary>
/// A copy of all keys under a prefix that follows the store: a listing, then a watch behind it. What the watch may have missed is
/// found by listing again: when it is lost or compacted, when it was silent for too long, and regularly.
/// Runs on: one loop of its own; <see cref="Snapshot"/> may be read by any thread at any time. Shared with: readers.
/// </summary>
public sealed partial class MetadataView : IAsyncDisposable
{
    private readonly IMetadataStore _store;
    private readonly string _prefix;
    private readonly MetadataViewOptions _options;
    private readonly Action<MetadataRevision> _onChange;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private TaskCompletionSource _moved = NewPulse();
    private TaskCompletionSource _compareNow = NewPulse();
    private volatile MetadataSnapshot _snapshot = MetadataSnapshot.Empty;
    private long _told;
    private long _confirmed;
    private long _comparisonsBegun;
    private long _compared;
    private long _reconciliations;
    private long _repairs;

    private MetadataView(IMetadataStore store, string prefix, MetadataViewOptions options, Action<MetadataRevision> onChange)
    {
        _store = store;
        _prefix = prefix;
        _options = options;
        _onChange = onChange;
    }

    /// <summary>The entries as this view knows them.</summary>
    public MetadataSnapshot Snapshot => _snapshot;

    /// <summary>Every change up to this revision has been told to the callback; <see cref="Snapshot"/> may be a step ahead of it.</summary>
    public long ToldRevision => Interlocked.Read(ref _told);

    /// <summary>Time since the store last said anything about these keys: a change, or a comparison.</summary>
    public TimeSpan Age => _options.Time.GetElapsedTime(Volatile.Read(ref _confirmed));

    /// <summary>How often the view was compared with the store.</summary>
    public long Reconciliations => Interlocked.Read(ref _reconciliations);

    /// <summary>How often such a comparison found something that the watch had not told (yet).</summary>
    public long Repairs => Interlocked.Read(ref _repairs);

    /// <summary>Ends when the view does: with an error only when the callback threw, or the store was disposed first.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Lists the keys and begins to follow them.</summary>
    /// <param name="store">The store; it must outlive the view.</param>
    /// <param name="prefix">"" = all keys.</param>
    /// <param name="options">Times.</param>
    /// <param name="onChange">
    /// Told of every revision, one after the other and in order, after <see cref="Snapshot"/> shows it; the first one, before this
    /// method returns, has all entries that are there. A comparison's finding comes as one revision. Must be quick and not throw.
    /// </param>
    /// <param name="cancellationToken">Gives up opening.</param>
    /// <exception cref="MetadataUnavailableException">The store did not answer in time.</exception>
    public static async Task<MetadataView> OpenAsync(
        IMetadataStore store, string prefix, MetadataViewOptions options, Action<MetadataRevision> onChange, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(onChange);
        MetadataKey.CheckPrefix(prefix);
        var view = new MetadataView(store, prefix, options, onChange);
        view.Compare(await store.ListAsync(prefix, cancellationToken), 0);
        view.Completion = Task.Run(view.FollowForEverAsync, CancellationToken.None);
        return view;
    }

    /// <summary>
    /// Waits until the view shows this revision or a later one, and the callback was told of it. When the watch does not bring it soon (it may have changed other
    /// keys only), the view compares itself with the store. A comparison that began after this call ends the wait whatever it finds: then the revision is one of
    /// a state that the store has left for an older one.
    /// </summary>
    public Task<MetadataSnapshot> WaitForRevisionAsync(long revision, CancellationToken cancellationToken = default) =>
        WaitAsync(() => ToldRevision >= revision, _options.CatchUpDelay, cancellationToken);

    /// <summary>Compares the view with the store as it is after this call, and waits until the callback was told of the result.</summary>
    public Task<MetadataSnapshot> CompareAsync(CancellationToken cancellationToken = default)
    {
        CompareSoon();
        return WaitAsync(() => false, _options.CatchUpDelay, cancellationToken);
    }

    private async Task<MetadataSnapshot> WaitAsync(Func<bool> isShown, TimeSpan patience, CancellationToken cancellationToken)
    {
        long enough = Interlocked.Read(ref _comparisonsBegun) + 1;
        while (true)
        {
            Task moved;
            lock (_lock)
            {
                if (isShown() || Interlocked.Read(ref _compared) >= enough)
                {
                    return _snapshot;
                }

                moved = _moved.Task;
            }

            try
            {
                await Task.WhenAny(moved, Completion).WaitAsync(patience, _options.Time, cancellationToken);
            }
            catch (TimeoutException)
            {
                CompareSoon();
                continue;
            }

            if (Completion.IsCompleted)
            {
                await Completion;
                throw new ObjectDisposedException(nameof(MetadataView));
            }
        }
    }

    /// <summary>Ends the watch; no callback runs after this.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static TaskCompletionSource NewPulse() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Wakes the loop; the request is kept until a comparison begins.
    private void CompareSoon()
    {
        lock (_lock)
        {
            _compareNow.TrySetResult();
        }
    }
}
