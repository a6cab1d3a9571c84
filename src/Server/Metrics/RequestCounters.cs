using System.Collections.Concurrent;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// Counts of the control plane by labels. The number of series is bounded: peers choose topic names, so beyond the limit they
/// are counted under <c>_other</c>. Runs on: receive loops, HTTP requests. Never per message.
/// </summary>
internal sealed class RequestCounters(int maxTopics)
{
    public const string Other = "_other";

    private readonly long[] _encodings = new long[3];
    private long _routed;
    private long _notRouted;

    public ConcurrentDictionary<(string Topic, string Result, string ErrorType), long> ProducerCreates { get; } = new();
    public ConcurrentDictionary<(string Topic, string Subscription, string Type, string Result), long> Subscribes { get; } = new();
    public ConcurrentDictionary<(string Method, string Result), long> Requests { get; } = new();
    public ConcurrentDictionary<(string Method, string Result), long> AdminRequests { get; } = new();
    public ConcurrentDictionary<ErrorCode, long> Errors { get; } = new();

    /// <summary>Messages from client to client that were passed on.</summary>
    public long Routed => Volatile.Read(ref _routed);

    /// <summary>Messages from client to client that were not: no such client, or it takes no more.</summary>
    public long NotRouted => Volatile.Read(ref _notRouted);

    /// <summary>Version-1 frames received with an encoding.</summary>
    public long Encoded(PayloadEncoding encoding) => Volatile.Read(ref _encodings[(int)encoding]);

    public void OnEncoding(PayloadEncoding encoding) => Interlocked.Increment(ref _encodings[(int)encoding]);

    public void OnRouted(bool ok) => Interlocked.Increment(ref ok ? ref _routed : ref _notRouted);

    public void OnCreateProducer(string topic, Refusal? refusal)
    {
        string error = refusal is null ? "" : ErrorCodes.Name(refusal.Code);
        Add(ProducerCreates, (Label(topic, ProducerCreates.Count, refusal?.Code), Result(refusal is null), error));
    }

    public void OnSubscribe(string topic, string subscription, string type, bool ok)
    {
        bool tooMany = !ok || Subscribes.Count >= maxTopics;
        Add(Subscribes, tooMany ? (Other, Other, Other, Result(ok)) : (topic, subscription, type, Result(ok)));
    }

    /// <summary>A request of the native protocol; unknown commands share one series.</summary>
    public void OnRequest(string command, bool ok) => Add(Requests, (IsKnown(command) ? command[1..] : "unknown", Result(ok)));

    public void OnAdmin(string method, bool ok) => Add(AdminRequests, (method, Result(ok)));

    public void OnError(ErrorCode code) => Add(Errors, code);

    /// <summary>Forgets the series of a deleted topic.</summary>
    public void RemoveTopic(string topic)
    {
        foreach ((string Topic, string Result, string ErrorType) key in ProducerCreates.Keys.Where(k => k.Topic == topic))
        {
            ProducerCreates.TryRemove(key, out _);
        }

        foreach ((string Topic, string Subscription, string Type, string Result) key in Subscribes.Keys.Where(k => k.Topic == topic))
        {
            Subscribes.TryRemove(key, out _);
        }
    }

    // Names that were refused are not topics: they would make series of whatever a peer sends.
    private string Label(string topic, int series, ErrorCode? error) =>
        error is ErrorCode.BadTopicName or ErrorCode.TopicNotFound || series >= maxTopics ? Other : topic;

    private static bool IsKnown(string command) => command is Commands.CreateTopic or Commands.DeleteTopic or Commands.ListTopics
        or Commands.DescribeTopic or Commands.CreateProducer or Commands.Subscribe or Commands.Unsubscribe or Commands.Seek
        or Commands.Publish or Commands.Credit or Commands.Ack or Commands.Nack or Commands.Close;

    private static string Result(bool ok) => ok ? "ok" : "error";

    private static void Add<TKey>(ConcurrentDictionary<TKey, long> counts, TKey key)
        where TKey : notnull => counts.AddOrUpdate(key, 1, static (_, count) => count + 1);
}
