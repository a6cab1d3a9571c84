using System.Globalization;

namespace Danube.Fast.Server.Cluster;

/// <summary>Where the cluster's records lie in the metadata store.</summary>
internal static class ClusterKeys
{
    /// <summary>One key per broker that is there; ends with the broker's lease.</summary>
    public const string Members = "/cluster/members/";

    /// <summary>What an operator wants of each broker: active, draining, drained.</summary>
    public const string Modes = "/cluster/modes/";

    /// <summary>The broker that leads; ends with its lease.</summary>
    public const string Leader = "/cluster/leader";

    /// <summary>One key per topic: who owns it.</summary>
    public const string Assignments = "/cluster/assignments/";

    /// <summary>One key per topic: what it is.</summary>
    public const string Topics = "/topics/";

    /// <summary>One key per broker that is there: its last load report; ends with the broker's lease.</summary>
    public const string Loads = "/cluster/load/";

    /// <summary>One key per topic that is between its deletion and its creation, see <see cref="ClusterAdmin"/>: what it will be.</summary>
    public const string Remakes = "/cluster/remakes/";

    /// <summary>One key per namespace with a limit in which a topic was created, see <see cref="NamespaceRoom"/>; its revision is all that counts.</summary>
    public const string Gates = "/cluster/gates/";

    /// <summary>One key per namespace with a policy.</summary>
    public const string Namespaces = "/namespaces/";

    /// <summary>One key per subscription, below the id of its topic: a topic that is created again never meets old ones.</summary>
    public const string Subscriptions = "/subscriptions/";

    public static string Load(int broker) => Loads + broker.ToString(CultureInfo.InvariantCulture);

    public static string Member(int broker) => Members + broker.ToString(CultureInfo.InvariantCulture);

    public static string Mode(int broker) => Modes + broker.ToString(CultureInfo.InvariantCulture);

    /// <summary>The topic's name as it is known everywhere, <c>/namespace/name</c>.</summary>
    public static string Assignment(string topic) => "/cluster/assignments" + topic;

    public static string Subscription(ulong topicId, string name) => SubscriptionsOf(topicId) + name;

    public static string SubscriptionsOf(ulong topicId) => Subscriptions + topicId.ToString(CultureInfo.InvariantCulture) + "/";

    public static string Topic(string topic) => "/topics" + topic;

    /// <summary>The topic of an assignment's key; null for another key.</summary>
    public static string? TopicOfAssignment(string key) =>
        key.StartsWith(Assignments, StringComparison.Ordinal) ? key[(Assignments.Length - 1)..] : null;

    /// <summary>The topic of a topic's key; null for another key.</summary>
    public static string? TopicOfTopic(string key) => key.StartsWith(Topics, StringComparison.Ordinal) ? key[(Topics.Length - 1)..] : null;
}
