using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// Counts of the control plane by labels. The number of series is bounded by what the broker has: names that a peer chose and that are no topic
/// or subscription are counted under <c>_other</c>. Runs on: receive loops, HTTP requests. Never per message.
/// </summary>
internal sealed class RequestCounters
{
    private static readonly string[] ErrorLabels = ["service", "code"];
    private long _routed;
    private long _notRouted;
    private long _redirects;
    private long _adminRedirects;

    public TopicCountedSeries<(string Topic, string Result, string ErrorType)> ProducerCreates { get; } = new(
        k => new LabelSet(Labels.ProducerCreate, Labels.NamespaceOf(k.Topic), k.Topic, k.Result, k.ErrorType),
        k => k.Topic,
        k => (Labels.Other, k.Result, k.ErrorType));

    public TopicCountedSeries<(string Topic, string Subscription, string Type, string Result)> Subscribes { get; } = new(
        k => new LabelSet(Labels.Subscribe, Labels.NamespaceOf(k.Topic), k.Topic, k.Subscription, k.Type, k.Result),
        k => k.Topic,
        k => (Labels.Other, Labels.Other, Labels.Other, k.Result));

    public CountedSeries<(string Method, string Result)> Requests { get; } = new(k => new LabelSet(Labels.MethodResult, k.Method, k.Result));

    public CountedSeries<(string Method, string Result)> AdminRequests { get; } = new(k => new LabelSet(Labels.MethodResult, k.Method, k.Result));

    public CountedSeries<ErrorCode> Errors { get; } = new(k => new LabelSet(ErrorLabels, "broker", ErrorCodes.Name(k)));

    public CountedSeries<ErrorCode> AdminErrors { get; } = new(k => new LabelSet(ErrorLabels, "admin", ErrorCodes.Name(k)));

    /// <summary>Messages from client to client that were passed on.</summary>
    public long Routed => Volatile.Read(ref _routed);

    /// <summary>Messages from client to client that were not: no such client, or it takes no more.</summary>
    public long NotRouted => Volatile.Read(ref _notRouted);

    /// <summary>Clients of the native protocol that were told which broker serves the topic.</summary>
    public long Redirects => Volatile.Read(ref _redirects);

    /// <summary>The same of the admin API.</summary>
    public long AdminRedirects => Volatile.Read(ref _adminRedirects);

    public void OnRouted(bool ok) => Interlocked.Increment(ref ok ? ref _routed : ref _notRouted);

    /// <summary>A producer created or refused.</summary>
    /// <param name="topic">As the peer says.</param>
    /// <param name="isKnown">There is such a topic.</param>
    /// <param name="refusal">Why not.</param>
    public void OnCreateProducer(string topic, bool isKnown, Refusal? refusal) =>
        ProducerCreates.Add((isKnown ? topic : Labels.Other, Labels.Result(refusal is null), refusal is null ? "" : ErrorCodes.Name(refusal.Code)));

    /// <summary>A subscribe; of one that was refused subscription and type are what the peer says, and no labels.</summary>
    public void OnSubscribe(string topic, bool isKnown, string subscription, string type, bool isReader, Refusal? refusal)
    {
        // Also not of a topic that was deleted meanwhile: nobody would remove the series.
        bool named = refusal is null && isKnown;
        Subscribes.Add((isKnown ? topic : Labels.Other, !named ? Labels.Other : isReader ? Labels.Readers : subscription, named ? type : Labels.Other, Labels.Result(refusal is null)));
    }

    /// <summary>A request of the native protocol; unknown commands share one series.</summary>
    public void OnRequest(string command, bool ok) => Requests.Add((MethodOf(command), Labels.Result(ok)));

    public void OnAdmin(string method, Refusal? refusal)
    {
        AdminRequests.Add((method, Labels.Result(refusal is null)));
        if (refusal is not null)
        {
            AdminErrors.Add(refusal.Code);
            CountRedirect(ref _adminRedirects, refusal.Code, refusal.Redirect);
        }
    }

    public void OnError(ErrorCode code, RedirectPayload? redirect)
    {
        Errors.Add(code);
        CountRedirect(ref _redirects, code, redirect);
    }

    // Without an address it only says when to come again.
    private static void CountRedirect(ref long count, ErrorCode code, RedirectPayload? redirect)
    {
        if (code == ErrorCode.NotOwner && redirect is { Address.Length: > 0 })
        {
            Interlocked.Increment(ref count);
        }
    }

    /// <summary>Forgets the series of a deleted topic.</summary>
    public void RemoveTopic(string topic)
    {
        ProducerCreates.Remove(k => k.Topic == topic);
        Subscribes.Remove(k => k.Topic == topic);
    }

    /// <summary>Forgets the series of a deleted subscription.</summary>
    public void RemoveSubscription(string topic, string subscription) => Subscribes.Remove(k => k.Topic == topic && k.Subscription == subscription);

    private static string MethodOf(string command) => command switch
    {
        Commands.GetMessageStats or Commands.GetMessageCount => command,
        Commands.CreateTopic or Commands.DeleteTopic or Commands.ListTopics or Commands.DescribeTopic or Commands.CreateProducer or Commands.Subscribe
            or Commands.Unsubscribe or Commands.Seek or Commands.Skip or Commands.Purge or Commands.PurgeTopic or Commands.Peek or Commands.Lookup or Commands.DescribeSubscription
            or Commands.SetTopicPolicy or Commands.SetNamespacePolicy or Commands.DescribeNamespace or Commands.Publish or Commands.Credit or Commands.Ack
            or Commands.Nack or Commands.Close => command[1..],
        _ => "unknown",
    };
}
