namespace Danube.Fast.Server.Metrics;

/// <summary>
/// The sum of the topics of one reliability that have no series of their own. What it has counted it keeps: topics come and go, its counters only grow.
/// Under the lock of <see cref="TopicSelection"/>.
/// </summary>
internal sealed class OtherTopics
{
    private readonly TopicSeries _series;
    private readonly SubscriptionSeries _subscriptionSeries;

    // Counts of topics that have left the sum, without those that topics had when they entered it.
    private readonly TopicRow _kept;
    private readonly SubscriptionRow _keptOfSubscriptions;
    private readonly bool _isReliable;
    private bool _isUsed, _hasSubscriptions;

    /// <param name="reliable">Value of the label; empty for the sum of both.</param>
    /// <param name="isReliable">What the topics are.</param>
    public OtherTopics(string reliable, bool isReliable)
    {
        _isReliable = isReliable;
        _series = new TopicSeries(Labels.Other, Labels.Other, "", reliable, "");
        _subscriptionSeries = new SubscriptionSeries(_series, Labels.Other, Labels.Other);
        _kept = new TopicRow(_series);
        _keptOfSubscriptions = new SubscriptionRow(_subscriptionSeries, _kept);
    }

    /// <summary>A topic leaves the sum: what it has counted so far stays.</summary>
    public void OnLeft(TopicRow row) => Keep(row, 1);

    /// <summary>A topic enters the sum that had series of its own: what it has counted so far was shown there.</summary>
    public void OnEntered(TopicRow row) => Keep(row, -1);

    /// <summary>The sum; null before the first topic.</summary>
    public TopicRow? Sum(IEnumerable<TopicRow> rest)
    {
        var sum = new TopicRow(_series) { IsReliable = _isReliable };
        var subscriptions = new SubscriptionRow(_subscriptionSeries, sum);
        foreach (TopicRow row in rest.Where(r => r.IsReliable == _isReliable))
        {
            _isUsed = true;
            sum.Add(row);
            foreach (SubscriptionRow subscription in row.Subscriptions)
            {
                _hasSubscriptions = true;
                subscriptions.Add(subscription);
            }

            if (row.Former is { } former)
            {
                subscriptions.AddCounts(former, 1);
            }
        }

        if (!_isUsed)
        {
            return null;
        }

        sum.AddCounts(_kept, 1);
        subscriptions.AddCounts(_keptOfSubscriptions, 1);
        if (_hasSubscriptions)
        {
            sum.Subscriptions.Add(subscriptions);
        }

        return sum;
    }

    /// <summary>Sums of several kinds in one.</summary>
    public TopicRow SumOf(List<TopicRow> sums)
    {
        var sum = new TopicRow(_series);
        var subscriptions = new SubscriptionRow(_subscriptionSeries, sum);
        foreach (TopicRow row in sums)
        {
            sum.Add(row);
            row.Subscriptions.ForEach(subscriptions.Add);
        }

        if (sums.Exists(s => s.Subscriptions.Count > 0))
        {
            sum.Subscriptions.Add(subscriptions);
        }

        return sum;
    }

    private void Keep(TopicRow row, int times)
    {
        _kept.AddCounts(row, times);
        row.Subscriptions.ForEach(s => _keptOfSubscriptions.AddCounts(s, times));
        if (row.Former is { } former)
        {
            _keptOfSubscriptions.AddCounts(former, times);
        }
    }
}
