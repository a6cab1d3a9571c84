using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

public sealed partial class DanubeClient
{
    /// <summary>Moves a subscription, with or without consumers: everything before the position counts as acknowledged, everything behind it comes again.</summary>
    /// <param name="topic">The topic; of a partitioned one all partitions are moved, provided that one broker serves them all. Where several do, name each partition (<c>/ns/topic-part-0</c> and so on).</param>
    /// <param name="subscription">The subscription.</param>
    /// <param name="to"><c>earliest</c>, <c>latest</c>, <c>offset:N</c> or <c>time:UNIX_MICROSECONDS</c>.</param>
    /// <param name="cancellationToken">Ends the wait; the broker may still do it.</param>
    /// <returns>Where the subscription stands now; of a partitioned topic, its last partition.</returns>
    /// <exception cref="DanubeException">The broker refuses (for example <see cref="ErrorCode.SubscriptionNotFound"/>) or cannot be reached.</exception>
    public Task<SeekReply> SeekAsync(string topic, string subscription, string to, CancellationToken cancellationToken = default) =>
        RequestAsync(
            Commands.Seek, new SeekRequest { Topic = topic, Subscription = subscription, To = to },
            ControlJson.Default.SeekRequest, ControlJson.Default.SeekReply, cancellationToken);
}
