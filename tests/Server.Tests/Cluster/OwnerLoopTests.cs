using System.Collections.Concurrent;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>The owner's side over a real store: what it opens, writes and closes, and in which order.</summary>
public sealed class OwnerLoopTests : IAsyncLifetime
{
    private const int Me = OwnerRig.Me;
    private const string Topic = OwnerRig.Topic;
    private const int TopicStopped = 71;

    private readonly OwnerRig _rig = new();
    private readonly RecordedActions _actions;

    public OwnerLoopTests()
    {
        _actions = new RecordedActions(_rig.Store);
    }

    public Task InitializeAsync() => _rig.RegisterAsync();

    public async Task DisposeAsync()
    {
        await _rig.DisposeAsync();
        Assert.Empty(_actions.Faults);
    }

    [Fact]
    public async Task An_assigned_topic_is_opened_then_written_then_served_above_every_epoch_that_was()
    {
        _actions.Prepares[Topic] = new PreparedTopic(PrepareStatus.Ready, HighestEpoch: 9);
        await BeginAsync();
        await AssignAsync(Topic, epoch: 3, startOffset: 100);
        Assignment served = await UntilAsync(Topic, a => a.State == AssignmentState.Serving);
        Assert.Equal((10L, Me, _rig.Membership.Session), (served.Epoch, served.Owner, served.Session));
        await CallsAsync("park", $"prepare {Topic} 5 at 100", $"activate {Topic} 10");
        Assert.True(_actions.GateOf(Topic)!.MayAcknowledge);
    }

    [Fact]
    public async Task Nothing_is_done_about_the_topics_of_others()
    {
        await BeginAsync();
        await AssignAsync("/default/theirs", owner: 3);
        await AssignAsync(Topic);
        await UntilAsync(Topic, a => a.State == AssignmentState.Serving);
        Assert.DoesNotContain(_actions.Calls, c => c.Contains("theirs", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Many_topics_are_served_with_few_transactions()
    {
        var counting = new CountingStore(_rig.Store);
        for (int i = 0; i < 150; i++)
        {
            await AssignAsync($"/default/t{i}");
        }

        // They are ready together, as after a restart.
        var gate = new TaskCompletionSource();
        _actions.Hold = gate.Task;
        await BeginAsync(counting);
        gate.SetResult();
        for (int i = 0; i < 150; i++)
        {
            await UntilAsync($"/default/t{i}", a => a.State == AssignmentState.Serving);
        }

        Assert.InRange(counting.Commits, 3, 75);
    }

    [Fact]
    public async Task A_topic_without_records_is_given_up_when_the_leader_asks()
    {
        await ServeAsync();
        await ChangeAsync(Topic, a => AssignmentRules.RequestRelease(a)!);
        Assignment released = await UntilAsync(Topic, a => a.State == AssignmentState.Released);
        Assert.Equal(_actions.EndOffset, released.StartOffset);
        await CallsAsync("park", $"prepare {Topic} 5 at 0", $"activate {Topic} 2", $"stop {Topic} Release", $"discard {Topic} 5");
    }

    [Fact]
    public async Task A_topic_with_records_is_served_on_until_the_leader_gives_in()
    {
        _actions.WithRecords[Topic] = true;
        await ServeAsync();
        await ChangeAsync(Topic, a => AssignmentRules.RequestRelease(a)!);
        await AssignAsync("/default/another");
        await UntilAsync("/default/another", a => a.State == AssignmentState.Serving);
        await ChangeAsync(Topic, a => AssignmentRules.CancelRelease(a)!);
        await AssignAsync("/default/more");
        await UntilAsync("/default/more", a => a.State == AssignmentState.Serving);
        Assert.DoesNotContain(_actions.Calls, c => c.StartsWith("stop", StringComparison.Ordinal));
        Assert.Equal(AssignmentState.Serving, (await ReadAsync(Topic)).State);
    }

    [Fact]
    public async Task A_topic_that_got_records_while_it_was_stopped_is_served_again()
    {
        await ServeAsync();
        // The last publish comes between the look and the stop.
        _actions.BeforeStop = () => _actions.WithRecords[Topic] = true;
        await ChangeAsync(Topic, a => AssignmentRules.RequestRelease(a)!);
        await UntilCallAsync($"stop {Topic} Release");
        await UntilCallAsync($"prepare {Topic} 5 at 7");
        Assert.Equal(AssignmentState.Releasing, (await ReadAsync(Topic)).State);
        await UntilAsync(() => _actions.Calls.Count(c => c == $"activate {Topic} 2") == 2);
    }

    [Fact]
    public async Task A_topic_that_is_deleted_is_given_up_with_all_that_is_in_it()
    {
        _actions.WithRecords[Topic] = true;
        await ServeAsync();
        _actions.Deleting[Topic] = true;
        await ChangeAsync(Topic, a => AssignmentRules.RequestRelease(a)!);
        await UntilAsync(Topic, a => a.State == AssignmentState.Released);
        Assert.Contains($"stop {Topic} Delete", _actions.Calls);
        Assert.DoesNotContain(_actions.Calls, c => c.StartsWith("discard", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_new_session_opens_everything_again_under_a_higher_epoch_and_the_old_proof_opens_nothing()
    {
        OwnerLoop loop = await ServeAsync();
        var old = _actions.GateOf(Topic)!;
        await _rig.Store.RevokeLeaseAsync(_rig.Membership.LeaseId);
        Assert.False(await _rig.Membership.ProveAsync(CancellationToken.None));
        Assert.False(old.MayAcknowledge);
        await _rig.Membership.RegisterAsync(CancellationToken.None);
        loop.OnSession(_rig.Membership.Session);
        await _rig.Membership.ProveAsync(CancellationToken.None);
        Assignment again = await UntilAsync(Topic, a => a.Session == _rig.Membership.Session);
        Assert.Equal((AssignmentState.Serving, 3L), (again.State, again.Epoch));
        await UntilCallAsync($"activate {Topic} 3");
        Assert.Contains($"stop {Topic} NotOwner", _actions.Calls);
        Assert.False(old.MayAcknowledge);
        Assert.True(_actions.GateOf(Topic)!.MayAcknowledge);
    }

    [Fact]
    public async Task A_topic_that_is_somebody_elses_is_closed()
    {
        await ServeAsync();
        await ChangeAsync(Topic, a => a with { Owner = 3, State = AssignmentState.Assigned, Epoch = a.Epoch + 1 });
        await UntilCallAsync($"stop {Topic} NotOwner");
    }

    [Fact]
    public async Task A_topic_that_was_deleted_and_made_again_is_opened_by_its_new_id()
    {
        await ServeAsync();
        await _rig.Store.DeleteAsync(ClusterKeys.Assignment(Topic));
        await AssignAsync(Topic, topicId: 77);
        await UntilAsync(Topic, a => a.State == AssignmentState.Serving && a.TopicId == 77);
        Assert.Contains($"stop {Topic} NotOwner", _actions.Calls);
        Assert.Contains($"prepare {Topic} 77 at 0", _actions.Calls);
    }

    [Fact]
    public async Task A_topic_that_cannot_be_opened_is_failed_with_its_reason()
    {
        _actions.Prepares[Topic] = new PreparedTopic(PrepareStatus.Failed, Reason: "the disk is gone");
        OwnerLoop loop = await BeginAsync();
        await AssignAsync(Topic);
        Assignment failed = await UntilAsync(Topic, a => a.State == AssignmentState.Failed);
        Assert.Equal("the disk is gone", failed.Reason);
        Assert.Equal("the disk is gone", loop.FailureOf(Topic));
    }

    [Fact]
    public async Task A_failure_that_may_pass_is_not_recorded_at_once()
    {
        _actions.Prepares[Topic] = new PreparedTopic(PrepareStatus.Failed, Reason: "too many files", MayPass: true);
        OwnerLoop loop = await BeginAsync();
        await AssignAsync(Topic);
        await UntilAsync(() => loop.FailureOf(Topic) is not null);
        Assert.Equal(AssignmentState.Assigned, (await ReadAsync(Topic)).State);
        _actions.Prepares.TryRemove(Topic, out _);
        await UntilAsync(Topic, a => a.State == AssignmentState.Serving);
        Assert.Null(loop.FailureOf(Topic));
    }

    [Fact]
    public async Task A_topic_that_the_catalogue_does_not_show_yet_is_tried_again()
    {
        _actions.Prepares[Topic] = new PreparedTopic(PrepareStatus.Unknown);
        await BeginAsync();
        await AssignAsync(Topic);
        await UntilAsync(() => _actions.Calls.Count(c => c.StartsWith("prepare", StringComparison.Ordinal)) > 1);
        _actions.Prepares.TryRemove(Topic, out _);
        await UntilAsync(Topic, a => a.State == AssignmentState.Serving);
    }

    [Fact]
    public async Task A_lost_answer_is_looked_up_and_not_sent_again()
    {
        await BeginAsync(new SlowStore(_rig.Store, () => { }) { LosesAnswers = true });
        await AssignAsync(Topic);
        await UntilCallAsync($"activate {Topic} 2");
        Assert.Equal(2, (await ReadAsync(Topic)).Epoch);
    }

    [Fact]
    public async Task A_write_of_an_ended_session_is_refused_and_lets_nobody_in()
    {
        var gate = new TaskCompletionSource();
        _actions.Hold = gate.Task;
        OwnerLoop loop = await BeginAsync();
        await AssignAsync(Topic);
        await UntilCallAsync($"prepare {Topic} 5 at 0");
        await _rig.Store.RevokeLeaseAsync(_rig.Membership.LeaseId);
        gate.SetResult();
        await AssignAsync("/default/other");
        await UntilCallAsync("prepare /default/other 5 at 0");
        Assert.Equal(AssignmentState.Assigned, (await ReadAsync(Topic)).State);
        Assert.False(await _rig.Membership.ProveAsync(CancellationToken.None));
        await _rig.Membership.RegisterAsync(CancellationToken.None);
        loop.OnSession(_rig.Membership.Session);
        await UntilAsync(Topic, a => a.State == AssignmentState.Serving && a.Session == _rig.Membership.Session);
    }

    [Fact]
    public async Task A_doubt_asks_the_store_and_stops_what_is_somebody_elses()
    {
        // The view hears nothing; the store knows better.
        OwnerLoop loop = await ServeAsync();
        await _rig.EndViewAsync();
        await ChangeAsync(Topic, a => a with { Owner = 3, Epoch = a.Epoch + 1 });
        Assert.False(loop.Doubt(Topic, 9));
        await UntilCallAsync($"stop {Topic} NotOwner");
    }

    [Fact]
    public async Task An_epoch_that_the_store_knows_nothing_of_is_denied()
    {
        OwnerLoop loop = await ServeAsync();
        Assert.False(loop.Doubt(Topic, 7));
        await UntilAsync(() => loop.Doubt(Topic, 7));
        Assert.False(loop.Doubt(Topic, 8));
        Assert.False(loop.Doubt("/default/unknown", 8));
    }

    [Fact]
    public async Task Doubts_about_one_topic_that_come_together_are_one_question()
    {
        var counting = new CountingStore(_rig.Store);
        OwnerLoop loop = await BeginAsync(counting);
        await AssignAsync(Topic);
        await UntilCallAsync($"activate {Topic} 2");
        int before = counting.Reads;
        for (int i = 0; i < 10_000; i++)
        {
            loop.Doubt(Topic, 7);
        }

        await UntilAsync(() => loop.Doubt(Topic, 7));
        Assert.InRange(counting.Reads - before, 1, 1_000);
    }

    [Fact]
    public async Task A_topic_that_could_not_be_closed_is_opened_anew_and_given_up_then()
    {
        await ServeAsync();
        _actions.BeforeStop = () =>
        {
            _actions.BeforeStop = null;
            throw new IOException("The disk is away.");
        };
        await ChangeAsync(Topic, a => AssignmentRules.RequestRelease(a)!);
        await UntilAsync(Topic, a => a.State == AssignmentState.Released);
        Assert.Equal(2, _actions.Calls.Count(c => c.StartsWith($"prepare {Topic}", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_broker_that_shuts_down_gives_up_what_only_its_memory_has_and_opens_nothing()
    {
        _actions.WithRecords["/default/stored"] = true;
        OwnerLoop loop = await ServeAsync();
        await AssignAsync("/default/stored");
        await UntilCallAsync("activate /default/stored 2");
        Assert.True(loop.HasToGiveUp);
        loop.GiveUp();
        Assignment released = await UntilAsync(Topic, a => a.State == AssignmentState.Released);
        Assert.Equal((Me, _actions.EndOffset), (released.Owner, released.StartOffset));
        await UntilAsync(() => !loop.HasToGiveUp);
        await AssignAsync("/default/late");
        await ChangeAsync("/default/stored", a => AssignmentRules.RequestRelease(a)!);
        await UntilAsync(() => _rig.View.TryGetAssignment("/default/stored", out _, out Assignment? seen) && seen.State == AssignmentState.Releasing);
        Assert.Equal(AssignmentState.Releasing, (await ReadAsync("/default/stored")).State);
        Assert.DoesNotContain(_actions.Calls, c => c.StartsWith("prepare /default/late", StringComparison.Ordinal) || c.StartsWith("stop /default/stored", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_topic_that_is_just_being_opened_when_the_broker_shuts_down_is_given_up_before_its_lease_goes()
    {
        var gate = new TaskCompletionSource();
        var held = new CountingStore(_rig.Store) { Hold = gate.Task };
        OwnerLoop loop = await BeginAsync(held);
        await AssignAsync(Topic);

        // Its log is open; the write that makes this broker serve it is on its way.
        await UntilAsync(() => held.Commits == 1);
        loop.GiveUp();
        bool isWaitedFor = loop.HasToGiveUp;
        gate.SetResult();
        Assert.True(isWaitedFor);
        await UntilAsync(() => !loop.HasToGiveUp);
        Assert.Equal((AssignmentState.Released, _actions.EndOffset), ((await ReadAsync(Topic)).State, (await ReadAsync(Topic)).StartOffset));
    }

    [Fact]
    public async Task A_topic_that_is_closed_and_not_yet_released_is_still_to_be_given_up()
    {
        OwnerLoop? loop = null;
        var log = new LogHook(TopicStopped, () => loop!.HasToGiveUp);
        loop = await _rig.BeginOwnerAsync(_actions, log: log);
        await AssignAsync(Topic);
        await UntilCallAsync($"activate {Topic} 2");
        loop.GiveUp();
        await UntilAsync(() => !loop.HasToGiveUp);
        Assert.Equal(AssignmentState.Released, (await ReadAsync(Topic)).State);
        Assert.Equal([true], log.Seen); // When the log says that it is closed.
    }

    private async Task<OwnerLoop> ServeAsync()
    {
        OwnerLoop loop = await BeginAsync();
        await AssignAsync(Topic);
        await UntilCallAsync($"activate {Topic} 2");
        return loop;
    }

    private Task<OwnerLoop> BeginAsync(IMetadataStore? store = null) => _rig.BeginOwnerAsync(_actions, store);

    private async Task AssignAsync(string topic, int owner = Me, long epoch = 1, long startOffset = 0, long topicId = 5)
    {
        var assignment = new Assignment { TopicId = topicId, Owner = owner, Session = _rig.Membership.Session, Epoch = epoch, State = AssignmentState.Assigned, StartOffset = startOffset };
        Assert.True((await _rig.Store.PutAsync(ClusterKeys.Assignment(topic), assignment.Encode())).Succeeded);
    }

    private async Task ChangeAsync(string topic, Func<Assignment, Assignment> change)
    {
        MetadataEntry entry = (await _rig.Store.GetAsync(ClusterKeys.Assignment(topic)))!;
        Assert.True((await _rig.Store.PutAsync(entry.Key, change(Assignment.Decode(entry)).Encode(), entry.Revision)).Succeeded);
    }

    private async Task<Assignment> ReadAsync(string topic) => Assignment.Decode((await _rig.Store.GetAsync(ClusterKeys.Assignment(topic)))!);

    private async Task<Assignment> UntilAsync(string topic, Func<Assignment, bool> condition)
    {
        Assignment? found = null;
        await UntilAsync(() => condition(found = ReadAsync(topic).GetAwaiter().GetResult()));
        return found!;
    }

    private Task UntilCallAsync(string call) => UntilAsync(() => _actions.Calls.Contains(call));

    private async Task CallsAsync(params string[] expected)
    {
        await UntilAsync(() => _actions.Calls.Count >= expected.Length);
        Assert.Equal(expected, _actions.Calls);
    }

    private async Task UntilAsync(Func<bool> condition)
    {
        long begun = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < OwnerRig.HangGuard, "hangs; calls: " + string.Join(", ", _actions.Calls));
            await Task.Delay(10);
        }
    }

    /// <summary>Looks at something whenever an event is logged.</summary>
    private sealed class LogHook(int eventId, Func<bool> look) : ILogger
    {
        public ConcurrentQueue<bool> Seen { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (id.Id == eventId)
            {
                Seen.Enqueue(look());
            }
        }
    }
}
