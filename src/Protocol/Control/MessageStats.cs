namespace Danube.Fast.Protocol;

/// <summary>Payload of <see cref="Commands.GetMessageStats"/>.</summary>
public sealed record MessageStatsRequest
{
    /// <summary>Most peers in the answer, the busiest first; 1 to 10,000.</summary>
    public int MaxPeers { get; set; } = 100;
}

/// <summary>Answer of <see cref="Commands.GetMessageStats"/>.</summary>
public sealed record MessageStatsReply
{
    /// <summary>All connections since the broker started, closed ones too.</summary>
    public MessageStats Total { get; set; } = new();

    /// <summary>Open connections by peer: its client name, or <c>connection-N</c> when it has none.</summary>
    public Dictionary<string, MessageStats> PerProcess { get; set; } = [];

    /// <summary>Both directions together, by <c>json</c>, <c>gob</c> and <c>plain</c>.</summary>
    public Dictionary<string, long> EncodingDistribution { get; set; } = [];

    public long TotalBytesSent { get; set; }

    public long TotalBytesReceived { get; set; }

    /// <summary>Peers that are left out because of <see cref="MessageStatsRequest.MaxPeers"/>.</summary>
    public int PeersOmitted { get; set; }
}

/// <summary>Messages of a peer or of all: frames and JSON lines. Sent is from the broker's side.</summary>
public sealed record MessageStats
{
    public long TotalSent { get; set; }

    public long TotalReceived { get; set; }

    /// <summary>Requests, both ways; likewise the next three.</summary>
    public long RequestCount { get; set; }

    public long ResponseCount { get; set; }

    public long EventCount { get; set; }

    public long ErrorCount { get; set; }

    /// <summary>When the first message came, RFC 3339 in UTC; null: none has.</summary>
    public string? FirstMessageTime { get; set; }

    /// <summary>When bytes last came, RFC 3339 in UTC; null: none have.</summary>
    public string? LastMessageTime { get; set; }

    /// <summary>Bytes at the socket.</summary>
    public long TotalBytesSent { get; set; }

    public long TotalBytesReceived { get; set; }

    /// <summary>Sent messages by type, also of the stream; types that did not occur are left out.</summary>
    public Dictionary<string, long> SentByType { get; set; } = [];

    public Dictionary<string, long> ReceivedByType { get; set; } = [];

    /// <summary>Both directions together, by <c>json</c>, <c>gob</c> and <c>plain</c>.</summary>
    public Dictionary<string, long> EncodingDistribution { get; set; } = [];
}

/// <summary>Answer of <see cref="Commands.GetMessageCount"/>.</summary>
public sealed record MessageCountReply
{
    /// <summary>Messages sent and received since the broker started.</summary>
    public long Count { get; set; }

    public long TotalBytesSent { get; set; }

    public long TotalBytesReceived { get; set; }
}
