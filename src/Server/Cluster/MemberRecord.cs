using System.Text.Json;
using System.Text.Json.Serialization;
using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

/// <summary>What a broker says of itself under its member key. Setters as in <see cref="Assignment"/>.</summary>
internal sealed record MemberRecord
{
    /// <summary>Random id of the data folder, which one process at a time has locked.</summary>
    public string DataId { get; set; } = "";

    /// <summary>Id of this start of the machine.</summary>
    public string BootId { get; set; } = "";

    /// <summary>Where clients reach the broker: host:port of the native protocol.</summary>
    public string Address { get; set; } = "";

    /// <summary>Where operators reach it: host:port of HTTP.</summary>
    public string HttpAddress { get; set; } = "";

    public string Version { get; set; } = "";

    /// <summary>Differs between brokers that are configured differently.</summary>
    public string ConfigHash { get; set; } = "";

    /// <summary>What the broker shows to others when it connects to them; who cannot read the metadata store does not know it.</summary>
    public string? PeerKey { get; set; }

    /// <summary>It is shutting down: it is given no topics, and leads only when nobody else can.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsStopping { get; set; }

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, ClusterJson.Default.MemberRecord);

    /// <exception cref="JsonException">The value is no member record.</exception>
    public static MemberRecord Decode(MetadataEntry entry) =>
        JsonSerializer.Deserialize(entry.Value.Span, ClusterJson.Default.MemberRecord) ?? throw new JsonException("The value is null.");
}

/// <summary>What is under the leader key.</summary>
internal sealed record LeaderRecord
{
    /// <summary>The broker that leads.</summary>
    public int Broker { get; set; }

    /// <summary>Its session.</summary>
    public long Session { get; set; }

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, ClusterJson.Default.LeaderRecord);

    /// <exception cref="JsonException">The value is no leader record.</exception>
    public static LeaderRecord Decode(MetadataEntry entry) =>
        JsonSerializer.Deserialize(entry.Value.Span, ClusterJson.Default.LeaderRecord) ?? throw new JsonException("The value is null.");
}
