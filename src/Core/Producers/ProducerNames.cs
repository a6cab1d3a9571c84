namespace Danube.Fast.Core;

/// <summary>Names of producers.</summary>
public static class ProducerNames
{
    /// <summary>Names that begin with this are the engine's own: another producer with such a name would fence the one that moves dead letters.</summary>
    public const string Reserved = "danube.";

    /// <summary>True for a name that a client's producer cannot have.</summary>
    public static bool IsReserved(string name) => name.StartsWith(Reserved, StringComparison.Ordinal);
}
