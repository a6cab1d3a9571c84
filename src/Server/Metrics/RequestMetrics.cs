using Danube.Fast.Core;
using Danube.Fast.Wal;

namespace Danube.Fast.Server.Metrics;

/// <summary>Requests, errors and retries.</summary>
internal static class RequestMetrics
{
    private static readonly string[] ResultLabel = ["result"];
    private static readonly string[] ErrorLabels = ["service", "code"];
    private static readonly string[] RetryLabels = ["component", "reason"];
    private static readonly LabelSet RoutedOk = new(ResultLabel, Labels.Ok);
    private static readonly LabelSet RoutedError = new(ResultLabel, Labels.Error);
    private static readonly string[] RedirectLabels = ["service", "reason"];
    private static readonly LabelSet BrokerNotOwner = new(RedirectLabels, "broker", "not_owner");
    private static readonly LabelSet AdminNotOwner = new(RedirectLabels, "admin", "not_owner");
    private static readonly LabelSet WalSegment = new(RetryLabels, "wal_segment", "no_room");
    private static readonly LabelSet WalCommit = new(RetryLabels, "wal_commit", "out_of_handles");
    private static readonly LabelSet WalRead = new(RetryLabels, "wal_read", "out_of_handles");
    private static readonly LabelSet DeadLetter = new(RetryLabels, "dead_letter", "store_failed");

    public static void Register(MetricRegistry registry, RequestCounters requests, WalCounters wal, TopicMetrics topics)
    {
        registry.Counter("rpc", "danube_broker_rpc_total", "Requests of the native protocol.", Labels.MethodResult, (_, sink) => requests.Requests.Read(sink));
        registry.Counter("rpc", "danube_admin_rpc_total", "Requests of the admin API.", Labels.MethodResult, (_, sink) => requests.AdminRequests.Read(sink));
        registry.Counter("rpc", "danube_rpc_errors_total", "Errors sent by code: error frames (broker), failures of the admin API (admin).", ErrorLabels, (_, sink) =>
        {
            requests.Errors.Read(sink);
            requests.AdminErrors.Read(sink);
        });
        registry.Counter("rpc", "danube_client_messages_total", "Messages from client to client.", ResultLabel, (_, sink) =>
        {
            sink.Sample(RoutedOk, requests.Routed);
            sink.Sample(RoutedError, requests.NotRouted);
        });
        registry.Counter("rpc", "danube_client_redirects_total", "Refusals that name the broker which serves the topic.", RedirectLabels, (_, sink) =>
        {
            sink.Sample(BrokerNotOwner, requests.Redirects);
            sink.Sample(AdminNotOwner, requests.AdminRedirects);
        });
        registry.Counter("rpc", "danube_retry_attempts_total", "Attempts that the broker has made again after an error that passes.", RetryLabels, (reading, sink) =>
        {
            sink.Sample(WalSegment, wal.RoomRetries);
            sink.Sample(WalCommit, wal.CommitRetries);
            sink.Sample(WalRead, wal.ReadRetries);
            sink.Sample(DeadLetter, topics.Rows(reading).DeadLetterRetries);
        });
    }
}
