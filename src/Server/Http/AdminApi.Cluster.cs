using System.Globalization;
using System.Text.Json;
using Danube.Fast.Core;
using Danube.Fast.LoadManager;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Load;
using Danube.Fast.Server.Topics;
using Microsoft.AspNetCore.Http;
using MeasuredBroker = Danube.Fast.LoadManager.BrokerState;

namespace Danube.Fast.Server.Http;

/// <summary>The cluster and its load: /admin/v1/cluster/status, check, load-reports, rankings, explain; export is in AdminApi.Export.cs. Any broker answers; one alone is a cluster of one.</summary>
internal sealed partial class AdminApi
{
    private Task RouteClusterAsync(HttpContext context, string method, string path) => (method, path) switch
    {
        ("GET", "/load-reports") => LoadReportsAsync(context),
        ("GET", "/rankings") => RankingsAsync(context),
        ("GET", "/explain") => ExplainAsync(context),
        ("GET", "/status") => StatusAsync(context),
        ("GET", "/check") => CheckAsync(context),
        ("GET", "/export") => ExportAsync(context),
        ("GET", "/self") => WriteAsync(context, StatusCodes.Status200OK, load.Peers.Self(), PeerJson.Default.PeerAnswer),
        (_, "/load-reports" or "/rankings" or "/explain" or "/status" or "/check" or "/export") => NotAllowedAsync(context),
        _ => NothingHereAsync(context),
    };

    private async Task LoadReportsAsync(HttpContext context)
    {
        if (!TryQuery(context, "broker", out long? wanted))
        {
            await AnswerAsync(context, "load_reports", Bad<LoadReportsReply>("broker must be the id of a broker, a whole number."), ClusterRepliesJson.Default.LoadReportsReply);
            return;
        }

        IReadOnlyList<PostedReport> posted = load.Source.Reports;
        Answer<LoadReportsReply> reply = wanted is { } id && posted.All(p => p.Broker != id)
            ? NoReport(id, posted)
            : new LoadReportsReply([.. posted.Where(p => wanted is null || p.Broker == wanted).OrderBy(p => p.Broker).Select(ReplyOf)]);
        await AnswerAsync(context, "load_reports", reply, ClusterRepliesJson.Default.LoadReportsReply);
    }

    private Refusal NoReport(long id, IReadOnlyList<PostedReport> posted) => new(
        ErrorCode.BadRequest,
        load.Source.Members.ContainsKey(id)
            ? $"Broker {id} has not posted a load report yet: the first one comes a few seconds after its start."
            : $"There is no broker {id}. Brokers with a load report: {(posted.Count == 0 ? "none yet" : string.Join(", ", posted.Select(p => p.Broker).Order()))}.");

    private LoadReportReply ReplyOf(PostedReport posted)
    {
        RankedBroker? ranked = load.Cluster.Ranking().Find(posted.Broker);
        MeasuredBroker? broker = load.Cluster.Board.View.Find(posted.Broker);
        double? age = broker is { Report: not null } ? load.Cluster.Board.Clock.GetElapsedTime(broker.ReceivedAt).TotalSeconds : null;
        return new LoadReportReply(posted.Broker, StandingOf(ranked?.Standing ?? BrokerStanding.Stale), age is { } a ? Math.Round(a, 1) : null, posted.Json.Length, Parse(posted.Json));
    }

    private static JsonElement? Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            // One broker's fault must not hide the reports of the others.
            return null;
        }
    }

    private async Task RankingsAsync(HttpContext context)
    {
        Ranking ranking = load.Cluster.Ranking();
        var missing = new Dictionary<long, string[]>();
        foreach (RankedBroker broker in ranking.Brokers)
        {
            missing[broker.Id] = [.. broker.MissingNames()];
        }

        ClusterSnapshot snapshot = load.Cluster.Snapshot();
        RankedReply[] brokers =
        [
            .. snapshot.Brokers.Select(b => new RankedReply(
                b.Rank + 1, b.BrokerId, StandingOf(b.Standing), b.LoadScore, b.Topics, b.ThroughputMbps, b.Cpu, b.Memory, missing.GetValueOrDefault(b.BrokerId, []))),
        ];
        string algorithm = LoadManagerValidation.AlgorithmNames[(int)ranking.Algorithm];
        await AnswerAsync(context, "rankings", new RankingsReply(algorithm, snapshot.Imbalance, brokers), ClusterRepliesJson.Default.RankingsReply);
    }

    private async Task ExplainAsync(HttpContext context)
    {
        string name = Query(context, "topic") ?? "";
        if (!TopicName.TryParse(name, out TopicName? topic))
        {
            await AnswerAsync(context, "explain", Bad<ExplainReply>("Say which topic: ?topic=/namespace/name."), ClusterRepliesJson.Default.ExplainReply);
            return;
        }

        PlacementDecision? kept = load.Cluster.Placement.Decisions.Find(topic.Full);
        TopicEntry? entry = topics.Find(topic.Full).Value;
        PlacementDecision decision = kept ?? load.Cluster.Placement.Explain(new PlacementRequest
        {
            Topic = topic,
            PartitionOf = entry?.Definition.PartitionOf,
            Requirements = entry is null ? TopicRequirements.None : topics.RequirementsOf(entry.Definition),
        });
        await AnswerAsync(context, "explain", new ExplainReply(
            topic.Full,
            kept is null ? "preview" : "decision",
            decision.Broker,
            load.Source.OwnerOf(topic.Full),
            decision.At,
            [.. decision.Steps],
            [.. decision.Candidates.Select(c => new CandidateReply(c.Id, c.Score, c.AssignedTopics, c.TopicsPerCore, [.. c.Missing]))]), ClusterRepliesJson.Default.ExplainReply);
    }

    private async Task StatusAsync(HttpContext context) =>
        await AnswerAsync(context, "cluster_status", await ClusterInspection.StatusAsync(load, context.RequestAborted), ClusterRepliesJson.Default.ClusterStatusReply);

    private async Task CheckAsync(HttpContext context)
    {
        ClusterStatusReply status = await ClusterInspection.StatusAsync(load, context.RequestAborted);
        await AnswerAsync(context, "cluster_check", ClusterInspection.Check(status, load, health.Readiness()), ClusterRepliesJson.Default.ClusterCheckReply);
    }

    private async Task OpenApiAsync(HttpContext context)
    {
        context.Response.ContentType = JsonType;
        context.Response.ContentLength = OpenApiDocument.Json.Length;
        if (context.Request.Method != HttpMethods.Head)
        {
            await context.Response.Body.WriteAsync(OpenApiDocument.Json, context.RequestAborted);
        }
    }

    private static Answer<T> Bad<T>(string sentence) => new Refusal(ErrorCode.BadRequest, sentence);

    private static string StandingOf(BrokerStanding standing) => standing.ToString().ToLower(CultureInfo.InvariantCulture);
}
