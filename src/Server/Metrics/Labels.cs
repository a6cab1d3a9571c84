namespace Danube.Fast.Server.Metrics;

/// <summary>Label names that several families share, in the order of the contract.</summary>
internal static class Labels
{
    public static readonly string[] None = [];
    public static readonly string[] Topic = ["namespace", "topic"];
    public static readonly string[] Partition = ["namespace", "topic", "partition"];
    public static readonly string[] PartitionReliable = ["namespace", "topic", "partition", "reliable"];
    public static readonly string[] Send = ["namespace", "topic", "partition", "result", "error_type", "reliable"];
    public static readonly string[] PartitionReason = ["namespace", "topic", "partition", "reason"];
    public static readonly string[] StartPosition = ["namespace", "topic", "partition", "start_pos"];
    public static readonly string[] Durability = ["topic", "class"];
    public static readonly string[] Subscription = ["namespace", "topic", "subscription"];
    public static readonly string[] SubscriptionReliable = ["namespace", "topic", "subscription", "reliable"];
    public static readonly string[] SubscriptionType = ["namespace", "topic", "subscription", "sub_type"];
    public static readonly string[] SubscriptionPartition = ["namespace", "topic", "subscription", "partition"];
    public static readonly string[] SubscriptionResult = ["namespace", "topic", "subscription", "result"];
    public static readonly string[] SubscriptionReason = ["namespace", "topic", "subscription", "reason"];
    public static readonly string[] Dispatch = ["namespace", "topic", "subscription", "sub_type", "reliable"];
    public static readonly string[] ProducerCreate = ["namespace", "topic", "result", "error_type"];
    public static readonly string[] Subscribe = ["namespace", "topic", "subscription", "sub_type", "result"];
    public static readonly string[] MethodResult = ["method", "result"];
    public static readonly string[] Broker = ["broker_id"];

    public const string Ok = "ok";
    public const string Error = "error";

    /// <summary>Stands for topics and names without series of their own.</summary>
    public const string Other = "_other";

    public static string Result(bool ok) => ok ? Ok : Error;

    /// <summary>Stands for all readers of a topic, whose names are made up and live as long as their connection.</summary>
    public const string Readers = "_readers";

    /// <summary>The namespace of a topic's name; <see cref="Other"/> of what is none.</summary>
    public static string NamespaceOf(string topic)
    {
        int slash = topic.Length > 1 ? topic.IndexOf('/', 1) : -1;
        return slash > 0 ? topic[1..slash] : Other;
    }
}
