namespace Danube.Fast.Core;

/// <summary>Names of producers.</summary>
public static class ProducerNames
{
    /// <summary>Names that begin with this are the engine's own: another producer with such a name would fence the one that moves dead letters.</summary>
    public const string Reserved = "danube.";

    private const int MaxLength = 255;

    /// <summary>The name under which the dead letters of a subscription are moved.</summary>
    public static string DeadLetter(string topic, string subscription)
    {
        string name = $"{Reserved}dead_letter {topic} {subscription}";
        return name.Length <= MaxLength ? name : $"{Reserved}dead_letter {Protocol.KeyHash.ProducerId(name):x16}";
    }

    /// <summary>True for a name that a client's producer cannot have.</summary>
    public static bool IsReserved(string name) => name.StartsWith(Reserved, StringComparison.Ordinal);
}
