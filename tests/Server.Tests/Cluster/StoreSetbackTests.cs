using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>A store that was restored from an older copy: its revisions come a second time, and it says of owners what was true once.</summary>
public sealed class StoreSetbackTests : IAsyncLifetime
{
    private const int Me = OwnerRig.Me;
    private const string Topic = OwnerRig.Topic;

    private readonly OwnerRig _rig = new();
    private readonly EmbeddedMetadataStore _older;

    public StoreSetbackTests()
    {
        _older = _rig.OpenStore();
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task Nothing_is_proven_until_all_other_proofs_of_the_lost_state_have_run_out()
    {
        await _rig.OpenViewAsync();
        _rig.BeginMembership(_ => { });
        await AdvanceUntilAsync(() => _rig.Membership.Proof.Covers(_rig.Membership.Session));
        long before = _rig.Membership.Session;
        await FillAsync(_rig.Store, 10);
        _rig.Way.GoTo(_older);
        await AdvanceUntilAsync(() => _rig.SetbacksTold == 1);
        long seen = _rig.Time.GetTimestamp();
        Assert.False(_rig.Membership.Proof.Covers(before));
        await AdvanceUntilAsync(() => _rig.Membership.Proof.Covers(_rig.Membership.Session));
        Assert.True(_rig.Time.GetElapsedTime(seen) >= AssignmentRules.HandOverDelay - TimeSpan.FromSeconds(1));
        Assert.False(_rig.Membership.Proof.Covers(before));
        Assert.Equal((1, 1), (_rig.Membership.Setbacks, _rig.SetbacksTold));
    }

    [Fact]
    public async Task A_revision_that_comes_a_second_time_is_no_session_again()
    {
        await _rig.Membership.RegisterAsync(CancellationToken.None);
        Assert.True(await _rig.Membership.ProveAsync(CancellationToken.None));
        long before = _rig.Membership.Session;
        _rig.Way.GoTo(_older);
        Assert.False(await _rig.Membership.ProveAsync(CancellationToken.None));
        await _rig.Membership.RegisterAsync(CancellationToken.None);
        Assert.NotEqual(before, _rig.Membership.Session);
        Assert.Equal((await _older.GetAsync(ClusterKeys.Member(Me)))!.CreatedRevision, _rig.Membership.Session);
    }

    [Fact]
    public async Task Topics_are_opened_by_what_the_store_says_now_above_every_epoch_that_it_had_shown()
    {
        await ServeWhatTheCopyKnowsOtherwiseAsync();
        _rig.Way.GoTo(_older);
        await AdvanceUntilAsync(() => _rig.Membership.Setbacks == 1 && _rig.Membership.Session != 0);
        await ServedAsync(_older, 10);
    }

    [Fact]
    public async Task A_setback_whose_revisions_have_passed_those_that_were_known_is_seen_by_what_writes_find()
    {
        await ServeWhatTheCopyKnowsOtherwiseAsync();
        long before = _rig.Membership.Session;
        await FillAsync(_older, 100);
        _rig.Way.GoTo(_older);
        await AdvanceUntilAsync(() => _rig.Membership.Session != 0 && _rig.Membership.Session != before);
        await ServedAsync(_older, 10);
        Assert.Equal(0, _rig.Membership.Setbacks);
    }

    // The newer store has the topic under epoch 9; the copy knows it as an older process of this broker had it.
    private async Task ServeWhatTheCopyKnowsOtherwiseAsync()
    {
        await PutAsync(_older, new Assignment { TopicId = 5, Owner = Me, Session = 1, Epoch = 3, State = AssignmentState.Serving });
        OwnerLoop loop = await _rig.BeginOwnerAsync(new RecordedActions(_rig.Way));
        _rig.BeginMembership(loop.OnSession);
        await AdvanceUntilAsync(() => _rig.Membership.Proof.Covers(_rig.Membership.Session));
        await FillAsync(_rig.Store, 10);
        await PutAsync(_rig.Store, new Assignment { TopicId = 5, Owner = Me, Session = _rig.Membership.Session, Epoch = 8, State = AssignmentState.Assigned });
        await ServedAsync(_rig.Store, 9);
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
            is { State: AssignmentState.Serving } && there.Session == _rig.Membership.Session);
        Assert.Equal(epoch, there.Epoch);
    }

    // The clock waits for the proof loop to take its turn: a slow machine must not cost the member its lease.
    private async Task AdvanceUntilAsync(Func<bool> condition)
    {
        long begun = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < OwnerRig.HangGuard, "hangs");
            await Task.Delay(2);
            if (_rig.Membership.Proof.Age is null || _rig.Membership.Proof.Age < Membership.ProofInterval + TimeSpan.FromSeconds(1))
            {
                _rig.Time.Advance(TimeSpan.FromMilliseconds(100));
            }
        }
    }
}
