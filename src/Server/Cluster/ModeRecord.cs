using System.Text.Json;
using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

/// <summary>What an operator wants of a broker. No record means active. Setters as in <see cref="Assignment"/>.</summary>
internal sealed record ModeRecord
{
    public BrokerMode Mode { get; set; }

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, ClusterJson.Default.ModeRecord);

    /// <exception cref="JsonException">The value is no mode.</exception>
    public static ModeRecord Decode(MetadataEntry entry) =>
        JsonSerializer.Deserialize(entry.Value.Span, ClusterJson.Default.ModeRecord) ?? throw new JsonException("The value is null.");
}
