using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Tests;
using Danube.Fast.Wal;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>Membership, proof and election over a real store, on a clock that the tests move.</summary>
public sealed class MembershipTests : IAsyncLifetime
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("danube-membership-").FullName;
    private readonly ManualTime _time = new();
    private readonly EmbeddedMetadataStore _store;

    public MembershipTests() => _store = EmbeddedMetadataStore.Open(_directory, WalFileSystem.Native, _time);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_proof_lasts_eight_seconds_from_when_it_was_sent()
    {
        Membership member = await JoinAsync(1, "data", "boot");
        Assert.False(member.Proof.Covers(member.Session));
        Assert.True(await member.ProveAsync(CancellationToken.None));
        _time.Advance(OwnerProof.Trust - TimeSpan.FromTicks(1));
        Assert.True(member.Proof.Covers(member.Session));
        Assert.False(member.Proof.Covers(member.Session + 1));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False(member.Proof.Covers(member.Session));
        Assert.True(await member.ProveAsync(CancellationToken.None));
        Assert.True(member.Proof.Covers(member.Session));
    }

    [Fact]
    public async Task The_time_a_read_takes_is_not_trusted()
    {
        var slow = new SlowStore(_store, () => _time.Advance(TimeSpan.FromSeconds(3)));
        var member = new Membership(slow, 1, Record("data", "boot"), _time);
        await member.RegisterAsync(CancellationToken.None);
        Assert.True(await member.ProveAsync(CancellationToken.None));
        _time.Advance(OwnerProof.Trust - TimeSpan.FromSeconds(3));
        Assert.False(member.Proof.Covers(member.Session));
    }

    [Fact]
    public async Task A_broker_whose_key_is_gone_stops_and_comes_back_under_another_session()
    {
        Membership member = await JoinAsync(1, "data", "boot");
        await member.ProveAsync(CancellationToken.None);
        long before = member.Session;
        await _store.RevokeLeaseAsync(member.LeaseId);
        Assert.False(await member.ProveAsync(CancellationToken.None));
        Assert.False(member.Proof.Covers(before));
        Assert.Equal(0, member.Session);
        await member.RegisterAsync(CancellationToken.None);
        Assert.True(member.Session > before);
        Assert.True(await member.ProveAsync(CancellationToken.None));
        Assert.False(member.Proof.Covers(before));
    }

    [Fact]
    public async Task A_broker_whose_requests_arrive_but_not_their_answers_does_not_keep_its_key_for_ever()
    {
        var way = new CountingStore(_store);
        var member = new Membership(way, 1, Record("data", "boot"), _time);
        await member.RegisterAsync(CancellationToken.None);
        Assert.True(await member.ProveAsync(CancellationToken.None));
        way.IsDeaf = true;
        for (TimeSpan passed = TimeSpan.Zero; passed < Membership.RenewsWithoutProof + (2 * Membership.LeaseTime); passed += Membership.ProofInterval)
        {
            Assert.True(passed >= Membership.RenewsWithoutProof || await _store.GetAsync(ClusterKeys.Member(1)) is not null, $"gone after {passed}");
            _time.Advance(Membership.ProofInterval);
            await Assert.ThrowsAsync<MetadataUnavailableException>(() => member.ProveAsync(CancellationToken.None));
        }

        using var guard = new CancellationTokenSource(HangGuard);
        while (await _store.GetAsync(ClusterKeys.Member(1)) is not null)
        {
            await Task.Delay(10, guard.Token);
        }

        way.IsDeaf = false;
        Assert.False(await member.ProveAsync(CancellationToken.None));
        await member.RegisterAsync(CancellationToken.None);
        Assert.True(await member.ProveAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_restart_on_the_same_boot_takes_the_place_at_once()
    {
        Membership dead = await JoinAsync(1, "data", "boot");
        Membership restarted = await JoinAsync(1, "data", "boot");
        Assert.True(restarted.Session > dead.Session);
        Assert.False(await dead.ProveAsync(CancellationToken.None));
        Assert.True(await restarted.ProveAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_key_of_an_earlier_boot_is_waited_for_and_ten_seconds_more()
    {
        Membership dead = await JoinAsync(1, "data", "boot");
        var next = new Membership(_store, 1, Record("data", "another boot"), _time);
        Task joining = next.RegisterAsync(CancellationToken.None);
        TimeSpan step = TimeSpan.FromMilliseconds(250);
        long gone = 0;
        using var guard = new CancellationTokenSource(HangGuard);
        while (!joining.IsCompleted)
        {
            await Task.Delay(1, guard.Token);
            _time.Advance(step);
            if (gone == 0 && await _store.GetAsync(ClusterKeys.Member(1)) is null)
            {
                gone = _time.GetTimestamp();
            }
        }

        await joining;
        Assert.True(_time.GetElapsedTime(gone) >= AssignmentRules.HandOverDelay - (2 * step));
        Assert.True(next.Session > dead.Session);
    }

    [Fact]
    public async Task Another_data_folder_with_the_same_id_is_told_who_has_it()
    {
        await JoinAsync(1, "data", "boot");
        var other = new Membership(_store, 1, Record("other data", "boot"), _time);
        var e = await Assert.ThrowsAsync<DuplicateBrokerException>(() => other.RegisterAsync(CancellationToken.None));
        Assert.Contains("10.0.0.1:6650", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registration_whose_answer_was_lost_is_found_by_its_lease()
    {
        var lossy = new SlowStore(_store, () => { }) { LosesAnswers = true };
        var member = new Membership(lossy, 1, Record("data", "boot"), _time);
        await member.RegisterAsync(CancellationToken.None);
        Assert.Equal((await _store.GetAsync(ClusterKeys.Member(1)))!.CreatedRevision, member.Session);
        var election = new LeaderElection(lossy, member);
        Assert.True(await election.CampaignAsync(CancellationToken.None));
    }

    [Fact]
    public async Task One_leads_and_when_its_lease_ends_another_does()
    {
        Membership one = await JoinAsync(1, "data 1", "boot");
        Membership two = await JoinAsync(2, "data 2", "boot");
        var first = new LeaderElection(_store, one);
        var second = new LeaderElection(_store, two);
        Assert.True(await first.CampaignAsync(CancellationToken.None));
        Assert.False(await second.CampaignAsync(CancellationToken.None));
        Assert.Equal((await _store.GetAsync(ClusterKeys.Leader))!.CreatedRevision, first.Token);
        Assert.True(await first.CampaignAsync(CancellationToken.None));
        await one.LeaveAsync(CancellationToken.None);
        Assert.True(await second.CampaignAsync(CancellationToken.None));
        Assert.False(await first.CampaignAsync(CancellationToken.None));
        await second.ResignAsync(CancellationToken.None);
        Assert.Null(await _store.GetAsync(ClusterKeys.Leader));
        Assert.Equal((0, 0), (first.Token, second.Token));
    }

    [Fact]
    public async Task A_deposed_leader_changes_nothing()
    {
        Membership one = await JoinAsync(1, "data 1", "boot");
        Membership two = await JoinAsync(2, "data 2", "boot");
        long topicId = (await _store.PutAsync(ClusterKeys.Topic("/default/t"), new byte[1])).Revision;
        var first = new LeaderElection(_store, one);
        await first.CampaignAsync(CancellationToken.None);
        long oldToken = first.Token;
        await first.ResignAsync(CancellationToken.None);
        var second = new LeaderElection(_store, two);
        await second.CampaignAsync(CancellationToken.None);
        Assignment next = AssignmentRules.Assign(null, false, Core.DurabilityClass.Fsync, topicId, 1, one.Session)!;
        Assert.False((await _store.CommitAsync(AssignmentWrites.Assign(oldToken, "/default/t", null, one.Session, null, next))).IsDone);
        Assert.True((await _store.CommitAsync(AssignmentWrites.Assign(second.Token, "/default/t", null, one.Session, null, next))).IsDone);
    }

    [Fact]
    public async Task A_target_that_is_to_be_emptied_or_shuts_down_meanwhile_gets_nothing()
    {
        Membership one = await JoinAsync(1, "data 1", "boot");
        long topicId = (await _store.PutAsync(ClusterKeys.Topic("/default/t"), new byte[1])).Revision;
        var election = new LeaderElection(_store, one);
        await election.CampaignAsync(CancellationToken.None);
        Assignment next = AssignmentRules.Assign(null, false, Core.DurabilityClass.Fsync, topicId, 1, one.Session)!;
        MetadataTransaction early = AssignmentWrites.Assign(election.Token, "/default/t", null, one.Session, null, next);
        await _store.PutAsync(ClusterKeys.Mode(1), new ModeRecord { Mode = LoadManager.BrokerMode.Draining }.Encode());
        Assert.False((await _store.CommitAsync(early)).IsDone);
        MetadataEntry mode = (await _store.GetAsync(ClusterKeys.Mode(1)))!;
        MetadataTransaction late = AssignmentWrites.Assign(election.Token, "/default/t", null, one.Session, mode, next);
        await one.AnnounceStopAsync(CancellationToken.None);
        Assert.False((await _store.CommitAsync(late)).IsDone);

        // The key is the same one, of the same session.
        MetadataEntry member = (await _store.GetAsync(ClusterKeys.Member(1)))!;
        Assert.Equal((one.Session, one.LeaseId, true), (member.CreatedRevision, member.LeaseId, MemberRecord.Decode(member).IsStopping));
        Assert.True(await one.ProveAsync(CancellationToken.None));
        Assert.True((await _store.CommitAsync(AssignmentWrites.Assign(election.Token, "/default/t", null, member.Revision, mode, next))).IsDone);
    }

    [Fact]
    public async Task The_loops_keep_a_member_and_a_leader()
    {
        using var end = new CancellationTokenSource();
        var member = new Membership(_store, 1, Record("data", "boot"), _time);
        var election = new LeaderElection(_store, member);
        await using MetadataView view = await MetadataView.OpenAsync(_store, "/cluster/", new MetadataViewOptions(), _ => { });
        var sessions = new System.Collections.Concurrent.ConcurrentQueue<long>();
        Task proving = member.RunAsync(sessions.Enqueue, end.Token);
        Task leading = election.RunAsync(() => view.Snapshot.Find(ClusterKeys.Leader), () => true, t => Task.Delay(LeaderElection.CampaignInterval, _time, t), end.Token);
        await AdvanceUntilAsync(member, () => election.Token != 0);
        long lease = member.LeaseId;
        long until = _time.GetTimestamp() + (3 * Membership.LeaseTime).Ticks;
        await AdvanceUntilAsync(member, () => _time.GetTimestamp() > until);
        Assert.True(member.LeaseId == lease && election.Token != 0 && sessions.Count == 1);
        await _store.RevokeLeaseAsync(lease);
        await AdvanceUntilAsync(member, () => sessions.Count > 1 && member.Proof.Covers(sessions.Last()) && election.Token > sessions.Last());
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => proving.WaitAsync(HangGuard));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leading.WaitAsync(HangGuard));
    }

    [Fact]
    public async Task A_silent_store_is_told_once_when_the_proof_has_run_out_and_once_when_it_answers_again()
    {
        using var end = new CancellationTokenSource();
        bool isAway = false;
        int failures = 0;
        var store = new SlowStore(_store, () =>
        {
            if (Volatile.Read(ref isAway))
            {
                Interlocked.Increment(ref failures);
                throw new IOException("nobody there");
            }
        });
        var told = new System.Collections.Concurrent.ConcurrentQueue<string?>();
        var member = new Membership(store, 1, Record("data", "boot"), _time) { OnSilence = told.Enqueue };
        Task proving = member.RunAsync(_ => { }, end.Token);
        await UntilAsync(() => member.Proof.Covers(member.Session), _ => { });
        Volatile.Write(ref isAway, true);
        await UntilAsync(() => !told.IsEmpty, Tick);
        Assert.True(member.Proof.SinceLast >= OwnerProof.Trust);
        int before = Volatile.Read(ref failures);
        await UntilAsync(() => Volatile.Read(ref failures) > before + 2, Tick);
        Assert.Equal(new string?[] { "nobody there" }, told.ToArray());
        Volatile.Write(ref isAway, false);
        await UntilAsync(() => told.Count == 2, Tick);
        Assert.Equal(new string?[] { "nobody there", null }, told.ToArray());
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => proving.WaitAsync(HangGuard));

        void Tick(ManualTime time) => time.Advance(Membership.ProofInterval);

        async Task UntilAsync(Func<bool> condition, Action<ManualTime> step)
        {
            using var guard = new CancellationTokenSource(HangGuard);
            while (!condition())
            {
                step(_time);
                await Task.Delay(1, guard.Token);
            }
        }
    }

    [Fact]
    public void The_clock_of_the_machine_runs()
    {
        var clock = new BootClock();
        long before = clock.GetTimestamp();
        Assert.True(clock.GetTimestamp() >= before && before > 0);
    }

    private static MemberRecord Record(string data, string boot) => new() { DataId = data, BootId = boot, Address = "10.0.0.1:6650" };

    private async Task<Membership> JoinAsync(int broker, string data, string boot)
    {
        var member = new Membership(_store, broker, Record(data, boot), _time);
        await member.RegisterAsync(CancellationToken.None);
        return member;
    }

    // The clock waits for the proof loop to take its turn: a slow machine must not cost the member its lease.
    private async Task AdvanceUntilAsync(Membership member, Func<bool> condition)
    {
        using var guard = new CancellationTokenSource(HangGuard);
        do
        {
            await Task.Delay(2, guard.Token);
            if (member.Proof.Age is null || member.Proof.Age < Membership.ProofInterval + TimeSpan.FromSeconds(1))
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
            }
        }
        while (!condition());
    }
}
