using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Http;

/// <summary>Puts together what several brokers say of the same topics: each knows what it has open, and of the rest the names.</summary>
internal static class TopicLists
{
    private const string Ok = "ok";

    private static readonly string Waiting = ErrorCodes.Name(ErrorCode.TopicWaiting);

    // What a broker says of a topic that it does not serve, when it does not know that nobody can: somebody else may know more.
    private static readonly string[] Ignorant = ["not_open", ErrorCodes.Name(ErrorCode.NotOwner), ErrorCodes.Name(ErrorCode.OwnerUnproven)];

    /// <summary>One list of all, in order of name.</summary>
    public static TopicInfo[] Merge(IEnumerable<TopicInfo[]> lists) =>
        [.. lists.SelectMany(l => l).GroupBy(t => t.Topic, StringComparer.Ordinal).Select(g => Merge([.. g])).OrderBy(t => t.Topic, StringComparer.Ordinal)];

    /// <summary>One topic as several brokers describe it.</summary>
    public static TopicInfo Merge(TopicInfo[] said)
    {
        // A plain topic is open at one broker.
        if (said.Length == 1 || said[0].Partitions <= 1)
        {
            return said.MinBy(Rank)!;
        }

        // A partition that is open nowhere shows as such at every broker; which one it is only its own description tells.
        return said[0] with
        {
            SizeBytes = said.Sum(t => t.SizeBytes),
            Producers = said.Sum(t => t.Producers),
            State = Array.Find(said, t => t.State != Ok && !Ignorant.Contains(t.State))?.State ?? Ok,
            Failure = Array.Find(said, t => t.Failure is not null)?.Failure,
            Subscriptions = Merge(said.SelectMany(t => t.Subscriptions)),
        };
    }

    /// <summary>One list of the subscriptions that several brokers have of the partitions of a topic, with sums.</summary>
    public static SubscriptionInfo[] Merge(IEnumerable<SubscriptionInfo> said) => [.. said.GroupBy(s => s.Name, StringComparer.Ordinal).Select(Sum)];

    /// <summary>The same, saying that it is not all there is.</summary>
    public static TopicInfo WithMissing(TopicInfo merged, MissingPartition[]? missing) => missing is null ? merged : merged with
    {
        State = merged.State == Ok ? ErrorCodes.Name(ErrorCode.Unavailable) : merged.State,
        Failure = merged.Failure ?? MissingPartition.Sentence(missing),
    };

    private static int Rank(TopicInfo said) => Ignorant.Contains(said.State) ? 2 : said.State == Waiting ? 1 : 0;

    private static SubscriptionInfo Sum(IGrouping<string, SubscriptionInfo> same) => same.First() with
    {
        Consumers = same.Sum(s => s.Consumers),
        Backlog = same.Sum(s => s.Backlog),
        Delayed = same.Sum(s => s.Delayed),
        Blocked = same.FirstOrDefault(s => s.Blocked is not null)?.Blocked,
    };
}
