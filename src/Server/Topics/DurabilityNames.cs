using Danube.Fast.Core;

namespace Danube.Fast.Server.Topics;

/// <summary>Names of the durability classes in requests, replies, metadata and metrics.</summary>
internal static class DurabilityNames
{
    public static string Name(DurabilityClass durability) => durability switch
    {
        DurabilityClass.Memory => "memory",
        DurabilityClass.Os => "os",
        DurabilityClass.Fsync => "fsync",
        _ => "object",
    };

    /// <summary>True for the classes that this version can run.</summary>
    public static bool TryParse(string? name, out DurabilityClass durability)
    {
        (bool known, durability) = name switch
        {
            "memory" => (true, DurabilityClass.Memory),
            "os" => (true, DurabilityClass.Os),
            "fsync" => (true, DurabilityClass.Fsync),
            _ => (false, DurabilityClass.Fsync),
        };
        return known;
    }
}
