using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Tests;
using Danube.Fast.Wal;
using Microsoft.Extensions.Logging.Abstractions;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>A store that was restored from an older copy: its revisions come a second time, and it says of owners what was true once.</summary>
public sealed class StoreSetbackTests : IAsyncLifetime
{
    private const int Me = 2;
    private const string Topic = "/default/orders";
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(90);

    private readonly string _directory = Directory.CreateTempSubdirectory("danube-setback-").FullName;
    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ClusterView _view = new(NullLogger.Instance);
    private readonly EmbeddedMetadataStore _newer, _older;
    private readonly CountingStore _way;
    private readonly Membership _membership;
    private readonly List<Task> _running = [];
    private int _told;

    public StoreSetbackTests()
    {
        _newer = EmbeddedMetadataStore.Open(Path.Combine(_directory, "newer"), WalFileSystem.Native, _time);
        _older = EmbeddedMetadataStore.Open(Path.Combine(_directory, "older"), WalFileSystem.Native, _time);
        _way = new CountingStore(_newer);
        _membership = new Membership(_way, Me, new MemberRecord { DataId = "data", BootId = "boot", Address = "127.0.0.1:1" }, _time)
        {
            KnownRevision = () => _view.Revision,
            OnStoreWentBack = token =>
            {
                Interlocked.Increment(ref _told);
                return _view.CompareAsync(token);
            },
        };
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _view.DisposeAsync();
        await _newer.DisposeAsync();
        await _older.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Nothing_is_proven_until_all_other_proofs_of_the_lost_state_have_run_out()
    {
        await _view.OpenAsync(_way, new MetadataViewOptions(), CancellationToken.None);
        _running.Add(_membership.RunAsync(_ => { }, _stop.Token));
        await AdvanceUntilAsync(() => _membership.Proof.Covers(_membership.Session));
        long before = _membership.Session;
        await FillAsync(_newer, 10);
        _way.GoTo(_older);
        await AdvanceUntilAsync(() => Volatile.Read(ref _told) == 1);
        long seen = _time.GetTimestamp();
        Assert.False(_membership.Proof.Covers(before));
        await AdvanceUntilAsync(() => _membership.Proof.Covers(_membership.Session));
        Assert.True(_time.GetElapsedTime(seen) >= AssignmentRules.HandOverDelay - TimeSpan.FromSeconds(1));
        Assert.False(_membership.Proof.Covers(before));
        Assert.Equal((1, 1), (_membership.Setbacks, _told));
    }

    [Fact]
    public async Task A_revision_that_comes_a_second_time_is_no_session_again()
    {
        await _membership.RegisterAsync(CancellationToken.None);
        Assert.True(await _membership.ProveAsync(CancellationToken.None));
        long before = _membership.Session;
        _way.GoTo(_older);
        Assert.False(await _membership.ProveAsync(CancellationToken.None));
        await _membership.RegisterAsync(CancellationToken.None);
        Assert.NotEqual(before, _membership.Session);
        Assert.Equal((await _older.GetAsync(ClusterKeys.Member(Me)))!.CreatedRevision, _membership.Session);
    }

    [Fact]
    public async Task Topics_are_opened_by_what_the_store_says_now_above_every_epoch_that_it_had_shown()
    {
        await ServeWhatTheCopyKnowsOtherwiseAsync();
        _way.GoTo(_older);
        await AdvanceUntilAsync(() => _membership.Setbacks == 1 && _membership.Session != 0);
        await ServedAsync(_older, 10);
    }

    [Fact]
    public async Task A_setback_whose_revisions_have_passed_those_that_were_known_is_seen_by_what_writes_find()
    {
        await ServeWhatTheCopyKnowsOtherwiseAsync();
        long before = _membership.Session;
        await FillAsync(_older, 100);
        _way.GoTo(_older);
        await AdvanceUntilAsync(() => _membership.Session != 0 && _membership.Session != before);
        await ServedAsync(_older, 10);
        Assert.Equal(0, _membership.Setbacks);
    }

    // The newer store has the topic under epoch 9; the copy knows it as an older process of this broker had it.
    private async Task ServeWhatTheCopyKnowsOtherwiseAsync()
    {
        await PutAsync(_older, new Assignment { TopicId = 5, Owner = Me, Session = 1, Epoch = 3, State = AssignmentState.Serving });
        var loop = new OwnerLoop(_way, _view, _membership, new RecordedActions(_way), TimeProvider.System, NullLogger.Instance);
        await _view.OpenAsync(_way, new MetadataViewOptions(), CancellationToken.None);
        _running.Add(Task.Run(() => loop.RunAsync(_stop.Token)));
        _running.Add(_membership.RunAsync(loop.OnSession, _stop.Token));
        await AdvanceUntilAsync(() => _membership.Proof.Covers(_membership.Session));
        await FillAsync(_newer, 10);
        await PutAsync(_newer, new Assignment { TopicId = 5, Owner = Me, Session = _membership.Session, Epoch = 8, State = AssignmentState.Assigned });
        await ServedAsync(_newer, 9);
    }

    private static async Task FillAsync(EmbeddedMetadataStore store, int revisions)
    {
        for (int i = 0; i < revisions; i++)
        {
            await store.PutAsync("/filler", new byte[] { (byte)i });
        }
    }

    private static async Task PutAsync(EmbeddedMetadataStore store, Assignment assignment) =>
        Assert.True((await store.PutAsync(ClusterKeys.Assignment(Topic), assignment.Encode())).Succeeded);

    private async Task ServedAsync(EmbeddedMetadataStore store, long epoch)
    {
        Assignment there = new();
        await AdvanceUntilAsync(() => (there = Assignment.Decode(store.GetAsync(ClusterKeys.Assignment(Topic)).AsTask().GetAwaiter().GetResult()!))
            is { State: AssignmentState.Serving } && there.Session == _membership.Session);
        Assert.Equal(epoch, there.Epoch);
    }

    // The clock waits for the proof loop to take its turn: a slow machine must not cost the member its lease.
    private async Task AdvanceUntilAsync(Func<bool> condition)
    {
        long begun = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < HangGuard, "hangs");
            await Task.Delay(2);
            if (_membership.Proof.Age is null || _membership.Proof.Age < Membership.ProofInterval + TimeSpan.FromSeconds(1))
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
            }
        }
    }
}
