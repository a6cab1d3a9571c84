using System.Globalization;
using System.Security.Cryptography;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// The client name under which a broker connects to another one: its id, and the key that its member record holds. Only who reads the metadata store
/// knows the key, so a client cannot pass for a broker.
/// </summary>
internal static class PeerIdentity
{
    /// <summary>What the names begin with; no other client may use it.</summary>
    public const string Prefix = "danube.broker.";

    // With the longest id the name has the 32 bytes that it may have.
    private const int KeyLength = 7;

    /// <summary>A key for one life of a broker.</summary>
    public static string NewKey() => RandomNumberGenerator.GetString("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", KeyLength);

    public static string NameOf(int broker, MemberRecord record) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{broker}.{record.PeerKey}");

    /// <summary>True for a name that only a broker may have.</summary>
    public static bool IsClaimed(string? clientName) => clientName?.StartsWith(Prefix, StringComparison.Ordinal) == true;

    /// <summary>True for the name of one of these brokers.</summary>
    public static bool IsOfMember(string clientName, IReadOnlyDictionary<int, (MemberRecord Record, long Session)> members)
    {
        string[] parts = IsClaimed(clientName) ? clientName[Prefix.Length..].Split('.') : [];
        return parts.Length == 2 && parts[1].Length == KeyLength && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int broker)
            && members.TryGetValue(broker, out (MemberRecord Record, long Session) member)
            && string.Equals(member.Record.PeerKey, parts[1], StringComparison.Ordinal);
    }
}
