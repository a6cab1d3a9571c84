using System.Net;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server;

/// <summary>Every log line of the server process. Ids are unique and stay; nothing here is written once per message.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Broker {Name} is ready: native {Native}, http {Http}, data {Data}.")]
    public static partial void Ready(ILogger log, string name, IPEndPoint native, IPEndPoint http, string data);

    [LoggerMessage(2, LogLevel.Warning, "{What} listens on {Address}, which other machines can reach, and there is no authentication yet: restrict access with a firewall.")]
    public static partial void NotLoopback(ILogger log, string what, IPAddress address);

    [LoggerMessage(3, LogLevel.Information, "Draining: {Reason}.")]
    public static partial void Draining(ILogger log, string reason);

    [LoggerMessage(4, LogLevel.Information, "Stopped after {ElapsedMs} ms; {InFlight} records were still unacknowledged with consumers.")]
    public static partial void Stopped(ILogger log, long elapsedMs, long inFlight);

    [LoggerMessage(5, LogLevel.Warning, "Second signal: exiting at once, without a clean stop.")]
    public static partial void ForcedExit(ILogger log);

    [LoggerMessage(10, LogLevel.Warning, "Accepting a connection failed; trying again.")]
    public static partial void AcceptFailed(ILogger log, Exception error);

    [LoggerMessage(11, LogLevel.Debug, "Connection {Id} from {Remote} accepted.")]
    public static partial void Accepted(ILogger log, long id, EndPoint? remote);

    [LoggerMessage(12, LogLevel.Debug, "Connection {Id} closed: {Reason}.")]
    public static partial void ConnectionClosed(ILogger log, long id, string reason);

    [LoggerMessage(13, LogLevel.Warning, "Connection {Id} from {Remote} closed with {Code}: {Text}")]
    public static partial void ConnectionRefused(ILogger log, long id, EndPoint? remote, string code, string text);

    [LoggerMessage(14, LogLevel.Error, "Connection {Id} failed.")]
    public static partial void ConnectionFailed(ILogger log, Exception error, long id);

    [LoggerMessage(15, LogLevel.Error, "Request {Command} with correlation id {CorrelationId} failed on connection {Id}.")]
    public static partial void RequestFailed(ILogger log, Exception error, string command, string correlationId, long id);

    [LoggerMessage(20, LogLevel.Information, "Topic {Topic} created: id {TopicId}, {Durability}.")]
    public static partial void TopicCreated(ILogger log, string topic, ulong topicId, string durability);

    [LoggerMessage(21, LogLevel.Information, "Topic {Topic} deleted.")]
    public static partial void TopicDeleted(ILogger log, string topic);

    [LoggerMessage(22, LogLevel.Error, "Topic {Topic} cannot be opened.")]
    public static partial void TopicOpenFailed(ILogger log, Exception error, string topic);

    [LoggerMessage(23, LogLevel.Error, "Topic {Topic}: housekeeping failed.")]
    public static partial void HousekeepingFailed(ILogger log, Exception error, string topic);

    [LoggerMessage(24, LogLevel.Information, "{Topics} topics known, {Subscriptions} subscriptions.")]
    public static partial void CatalogLoaded(ILogger log, int topics, int subscriptions);

    [LoggerMessage(EventId = 25, Message = "Log store: {Kind}: {Topic} (topic id {TopicId}): {Text}")]
    public static partial void Wal(ILogger log, LogLevel level, Danube.Fast.Wal.WalEventKind kind, string topic, ulong topicId, string text, Exception? cause);

    [LoggerMessage(26, LogLevel.Information, "Policy of {Kind} {Name} changed.")]
    public static partial void PolicyChanged(ILogger log, string kind, string name);

    [LoggerMessage(27, LogLevel.Information, "Subscription {Subscription} of topic {Topic} had no consumer for too long and was removed.")]
    public static partial void SubscriptionExpired(ILogger log, string subscription, string topic);

    [LoggerMessage(28, LogLevel.Warning, "All messages of topic {Topic} were purged on request.")]
    public static partial void TopicPurged(ILogger log, string topic);

    [LoggerMessage(29, LogLevel.Warning, "{Logs} logs belong to no topic (the folders topics/ID of the data directory, ID: {Ids}). They are kept and not served. When topics are missing, stop the broker and restore the folder metadata from a backup; else delete those folders.")]
    public static partial void LogsWithoutTopic(ILogger log, int logs, string ids);

    [LoggerMessage(30, LogLevel.Error, "HTTP request {RequestId} to {Path} failed.")]
    public static partial void HttpFailed(ILogger log, Exception error, string requestId, string path);

    [LoggerMessage(31, LogLevel.Error, "{Bytes} bytes of the metadata in {Folder} are damaged: topics or subscriptions may be missing, their logs are still in the data directory. Restore the file from a backup if there is one.")]
    public static partial void MetadataDamaged(ILogger log, long bytes, string folder);

    [LoggerMessage(33, LogLevel.Warning, "The last {Bytes} bytes of the metadata in {Folder} were dropped: a change that was not answered yet when the broker was killed, or, if it was stopped in order, the latest change to topics and subscriptions, which is damaged: look whether one is missing.")]
    public static partial void MetadataTorn(ILogger log, long bytes, string folder);

    [LoggerMessage(32, LogLevel.Information, "Admin call {Method} {Path} by {Remote}, request {RequestId}: {Status}.")]
    public static partial void AdminCall(ILogger log, string method, string path, System.Net.IPAddress? remote, string requestId, int status);

    [LoggerMessage(90, LogLevel.Information, "Measuring load: {Monitor}.")]
    public static partial void MeasuringLoad(ILogger log, string monitor);

    [LoggerMessage(91, LogLevel.Warning, "The ranking algorithm bottleneck leaves out what has no known capacity: set {Keys}.")]
    public static partial void CapacityUnknown(ILogger log, string keys);

    [LoggerMessage(92, LogLevel.Error, "The load manager failed; it goes on with the next second.")]
    public static partial void LoadManagerFailed(ILogger log, Exception error);

    [LoggerMessage(93, LogLevel.Warning, "The load report of broker {BrokerId} cannot be read, it counts as none: {Fault}")]
    public static partial void ReportUnreadable(ILogger log, long brokerId, string? fault);

    [LoggerMessage(94, LogLevel.Information, "Cluster state snapshot: broker_count {BrokerCount}, topic_count {TopicCount}, imbalance {Imbalance}, throughput_mbps {ThroughputMbps}.")]
    public static partial void ClusterState(ILogger log, int brokerCount, int topicCount, double imbalance, double throughputMbps);

    [LoggerMessage(95, LogLevel.Information, "Broker status: rank {Rank}, broker_id {BrokerId}, load_score {LoadScore}, topics {Topics}, throughput_mbps {ThroughputMbps}, cpu {Cpu}, memory {Memory}, standing {Standing}.")]
    public static partial void BrokerStatus(
        ILogger log, int? rank, long brokerId, double? loadScore, int topics, double? throughputMbps, double? cpu, double? memory, Danube.Fast.LoadManager.BrokerStanding standing);

    [LoggerMessage(96, LogLevel.Warning, "The metadata store is nearly full: {Note}.")]
    public static partial void StoreNearlyFull(ILogger log, string note);

    [LoggerMessage(40, LogLevel.Information, "Exporting to the OpenTelemetry collector {Endpoint} by {Protocol}: metrics {Metrics}, traces {Traces}.")]
    public static partial void OtlpStarted(ILogger log, Uri endpoint, string protocol, bool metrics, bool traces);

    [LoggerMessage(41, LogLevel.Warning, "The export to {Endpoint} fails, what it should have sent is lost; further failures are told once a minute: {Text}")]
    public static partial void OtlpFailed(ILogger log, Uri endpoint, string text);

    [LoggerMessage(50, LogLevel.Information, "Waiting for the metadata store ({Store}): {Reason}")]
    public static partial void WaitingForStore(ILogger log, string store, string reason);

    [LoggerMessage(51, LogLevel.Information, "Broker {Broker} of cluster {Cluster} is registered with session {Session}.")]
    public static partial void Registered(ILogger log, int broker, string cluster, long session);

    [LoggerMessage(52, LogLevel.Error, "The record {Key} in the metadata store cannot be read and counts as absent.")]
    public static partial void RecordUnreadable(ILogger log, Exception error, string key);

    [LoggerMessage(53, LogLevel.Information, "Broker {Broker} leads the cluster (token {Token}).")]
    public static partial void Leads(ILogger log, int broker, long token);

    [LoggerMessage(54, LogLevel.Information, "Broker {Broker} no longer leads the cluster.")]
    public static partial void LeadsNoMore(ILogger log, int broker);

    [LoggerMessage(55, LogLevel.Error, "The {Loop} of the cluster failed and begins again.")]
    public static partial void ClusterLoopFailed(ILogger log, Exception error, string loop);

    [LoggerMessage(56, LogLevel.Critical, "{Reason} This broker serves nothing any more and stops.")]
    public static partial void MustLeave(ILogger log, string reason);

    [LoggerMessage(63, LogLevel.Warning, "The metadata store ({Store}) does not answer, and the last proof of this broker's session has run out: publishes and acknowledgements wait until it does. {Reason}")]
    public static partial void StoreSilent(ILogger log, string store, string reason);

    [LoggerMessage(64, LogLevel.Information, "The metadata store ({Store}) answers again.")]
    public static partial void StoreAnswers(ILogger log, string store);

    [LoggerMessage(70, LogLevel.Information, "Topic {Topic} is served by this broker under epoch {Epoch} (session {Session}).")]
    public static partial void TopicServed(ILogger log, string topic, long epoch, long session);

    [LoggerMessage(71, LogLevel.Information, "Topic {Topic} is no longer served by this broker ({Reason}); it ends at offset {EndOffset}.")]
    public static partial void TopicStopped(ILogger log, string topic, Cluster.StopReason reason, long endOffset);

    [LoggerMessage(72, LogLevel.Error, "Topic {Topic} is this broker's, but cannot be served: {Reason}")]
    public static partial void TopicNotServed(ILogger log, string topic, string reason);

    [LoggerMessage(73, LogLevel.Error, "Work on topic {Topic} failed.")]
    public static partial void OwnerWorkFailed(ILogger log, Exception error, string topic);

    [LoggerMessage(74, LogLevel.Warning, "The log of topic id {TopicId} was put aside in {Folder}: {Reason} It is never served again, and deleted after {Days} days.")]
    public static partial void LogParked(ILogger log, ulong topicId, string folder, string reason, int days);

    [LoggerMessage(75, LogLevel.Warning, "Dead letters of {Source} for {Topic} wait: {Reason}")]
    public static partial void DeadLettersWait(ILogger log, string source, string topic, string reason);

    [LoggerMessage(57, LogLevel.Warning, "The leader cannot do its work, the metadata store does not answer: {Reason}")]
    public static partial void LeaderWaits(ILogger log, string reason);

    [LoggerMessage(58, LogLevel.Information, "{Topics} topics were given to brokers.")]
    public static partial void TopicsAssigned(ILogger log, int topics);

    [LoggerMessage(59, LogLevel.Information, "Broker {Broker} is drained: no topic is with it any more.")]
    public static partial void Drained(ILogger log, int broker);

    [LoggerMessage(62, LogLevel.Error, "The metadata store shows an older state than it had shown before (it was restored from a copy?): all sessions of that time are ended, and this broker registers anew in {Seconds} s. Topics that are younger than the copy are put aside.")]
    public static partial void StoreWentBack(ILogger log, double seconds);

    [LoggerMessage(61, LogLevel.Critical, "The metadata store is not followed any more: this broker learns nothing new until it is restarted.")]
    public static partial void ViewEnded(ILogger log, Exception error);

    [LoggerMessage(60, LogLevel.Warning, "The creation of topic {Topic} was left half-way; it is finished now.")]
    public static partial void CreationTakenOver(ILogger log, string topic);
}
