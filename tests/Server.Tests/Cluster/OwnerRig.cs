using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Tests;
using Danube.Fast.Wal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>One broker as member and owner over a store in this process, on a clock that the test moves. Nothing runs until it is begun.</summary>
internal sealed class OwnerRig : IAsyncDisposable
{
    public const int Me = 2;
    public const string Topic = "/default/orders";
    public static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(90);

    private readonly string _directory = Directory.CreateTempSubdirectory("danube-owner-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<EmbeddedMetadataStore> _stores = [];
    private readonly List<Task> _running = [];
    private bool _viewEnded;
    private int _setbacksTold;

    public OwnerRig()
    {
        Store = OpenStore();
        Way = new CountingStore(Store);
        Membership = new Membership(Way, Me, new MemberRecord { DataId = "data", BootId = "boot", Address = "127.0.0.1:1" }, Time)
        {
            KnownRevision = () => View.Revision,
            OnStoreWentBack = token =>
            {
                Interlocked.Increment(ref _setbacksTold);
                return View.CompareAsync(token);
            },
        };
    }

    public ManualTime Time { get; } = new();

    public EmbeddedMetadataStore Store { get; }

    /// <summary>How the broker reaches it.</summary>
    public CountingStore Way { get; }

    public ClusterView View { get; } = new(NullLogger.Instance);

    public Membership Membership { get; }

    /// <summary>How often the membership has told that the store went back.</summary>
    public int SetbacksTold => Volatile.Read(ref _setbacksTold);

    /// <summary>A further store, which knows nothing.</summary>
    public EmbeddedMetadataStore OpenStore()
    {
        EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(Path.Combine(_directory, $"store-{_stores.Count}"), WalFileSystem.Native, Time);
        _stores.Add(store);
        return store;
    }

    /// <summary>Registers and proves that once; for a test in which the membership does not run.</summary>
    public async Task RegisterAsync()
    {
        await Membership.RegisterAsync(CancellationToken.None);
        Assert.True(await Membership.ProveAsync(CancellationToken.None));
    }

    public Task OpenViewAsync() => View.OpenAsync(Way, new MetadataViewOptions(), CancellationToken.None);

    /// <summary>Opens the view and lets an owner loop run.</summary>
    public async Task<OwnerLoop> BeginOwnerAsync(IOwnerActions actions, IMetadataStore? store = null, ILogger? log = null)
    {
        var loop = new OwnerLoop(store ?? Way, View, Membership, actions, TimeProvider.System, log ?? NullLogger.Instance);
        await OpenViewAsync();
        _running.Add(Task.Run(() => loop.RunAsync(_stop.Token)));
        return loop;
    }

    public void BeginMembership(Action<long> onSession) => _running.Add(Membership.RunAsync(onSession, _stop.Token));

    /// <summary>The view hears nothing more.</summary>
    public async Task EndViewAsync()
    {
        _viewEnded = true;
        await View.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_viewEnded)
        {
            await View.DisposeAsync();
        }

        foreach (EmbeddedMetadataStore store in _stores)
        {
            await store.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }
}
