namespace Danube.Fast.Bench.Runs;

/// <summary>What one measured configuration looks like.</summary>
public sealed record LoadSetup
{
    public int SizeBytes { get; init; } = 1024;

    /// <summary><c>fsync</c>, <c>os</c> or <c>memory</c>.</summary>
    public string Durability { get; init; } = "fsync";
    public int Topics { get; init; } = 1;
    public int Producers { get; init; } = 1;

    /// <summary>0 = publish only.</summary>
    public int Consumers { get; init; } = 1;

    /// <summary>Messages per second of all producers together; 0 = as fast as it goes.</summary>
    public double Rate { get; init; }

    /// <summary>0 = the client's default.</summary>
    public int BatchBytes { get; init; }

    /// <summary>0 = the client's default.</summary>
    public long WindowBytes { get; init; }

    /// <summary>One message at a time instead of pipelined.</summary>
    public bool OneAtATime { get; init; }

    /// <summary>Folder in which the broker's temporary data folder is made; null = the system's.</summary>
    public string? DataParent { get; init; }
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}
