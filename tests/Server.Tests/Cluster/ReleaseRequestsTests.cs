using Danube.Fast.Server.Cluster;
using Danube.Fast.Tests;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>When a leader asks an owner for a topic, and when again.</summary>
public sealed class ReleaseRequestsTests
{
    private const string Topic = "/default/t";
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly ManualTime _time = new();
    private readonly ReleaseRequests _requests;

    public ReleaseRequestsTests() => _requests = new ReleaseRequests(_time);

    [Fact]
    public void However_often_it_was_in_vain_it_is_asked_again_after_a_pause_that_stops_growing()
    {
        TimeSpan pause = ReleaseRequests.AskAgainAfter;
        for (int i = 0; i < 200; i++)
        {
            _requests.OnAsked(Topic);
            _time.Advance(pause - Moment);
            Assert.True(_requests.IsInVain(Topic, isForGood: false));
            Assert.False(_requests.MayAsk(Topic, isForGood: false));
            _time.Advance(Moment);
            Assert.True(_requests.MayAsk(Topic, isForGood: false));
            pause = pause * 2 < ReleaseRequests.AskAgainAtMost ? pause * 2 : ReleaseRequests.AskAgainAtMost;
        }

        Assert.Equal((200, TimeSpan.FromMinutes(5)), (_requests.TimesOf(Topic), pause));
    }

    [Fact]
    public void A_topic_that_is_being_deleted_does_not_wait_for_the_pauses_of_a_drain()
    {
        for (int i = 0; i < 10; i++)
        {
            _requests.OnAsked(Topic);
        }

        Assert.False(_requests.MayAsk(Topic, isForGood: false));
        Assert.True(_requests.MayAsk(Topic, isForGood: true));
        _time.Advance(2 * ReleaseRequests.Limit);
        Assert.False(_requests.IsInVain(Topic, isForGood: true));
    }

    [Fact]
    public void A_request_that_was_not_written_does_not_count()
    {
        _requests.OnAsked(Topic);
        _requests.TakeBack(Topic);
        Assert.True(_requests.MayAsk(Topic, isForGood: false));

        _requests.OnAsked(Topic);
        _time.Advance(ReleaseRequests.AskAgainAfter);
        _requests.OnAsked(Topic);
        _requests.TakeBack(Topic);
        Assert.Equal(1, _requests.TimesOf(Topic));
        Assert.True(_requests.MayAsk(Topic, isForGood: false));
        _requests.OnAsked(Topic);
        Assert.False(_requests.MayAsk(Topic, isForGood: false));
    }

    [Fact]
    public void A_new_leader_counts_from_its_first_look()
    {
        Assert.False(_requests.IsInVain(Topic, isForGood: false));
        _time.Advance(ReleaseRequests.Limit - Moment);
        Assert.False(_requests.IsInVain(Topic, isForGood: false));
        _time.Advance(Moment);
        Assert.True(_requests.IsInVain(Topic, isForGood: false));
    }
}
