namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>
/// Families that a single broker of this version does not export, with the part that they belong to. Their panels and alerts are written
/// already; the part that brings a family takes it out of this list, and the tests fail when it does not.
/// </summary>
internal static class PartsToCome
{
    public const string Cloud = "cloud", Cluster = "cluster", LoadManager = "load manager";

    public static readonly IReadOnlyDictionary<string, string> Families = new Dictionary<string, string>
    {
        ["danube_cloud_upload_objects_total"] = Cloud,
        ["danube_cloud_upload_bytes_total"] = Cloud,
        ["danube_cloud_upload_object_size_bytes"] = Cloud,
        ["danube_cloud_upload_latency_ms"] = Cloud,
        ["danube_cloud_list_total"] = Cloud,
        ["danube_cloud_list_latency_ms"] = Cloud,
        ["danube_cloud_download_bytes_total"] = Cloud,
        ["danube_handoff_cloud_to_wal_total"] = Cloud,
        ["danube_owner_proof_age_seconds"] = Cluster,
        ["danube_metadata_quota_bytes"] = Cluster,
        ["danube_load_manager_assignment_latency_ms"] = Cluster,
        ["danube_rebalancing_moves_total"] = LoadManager,
        ["danube_rebalancing_failures_total"] = LoadManager,
        ["danube_rebalancing_latency_seconds"] = LoadManager,
    };

    /// <summary>The part that an expression waits for; null when it must have data.</summary>
    public static string? Of(Expression expression) => expression.Families.Select(f => Families.GetValueOrDefault(f)).FirstOrDefault(p => p is not null);
}
