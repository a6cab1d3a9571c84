using System.Text;

namespace Danube.Fast.Protocol;

/// <summary>The ids of an envelope that clients choose: the name under which others reach a client, and the id of a message between clients.</summary>
public static class PeerNames
{
    /// <summary>Source and target id of the broker.</summary>
    public const string Broker = "broker";

    /// <summary>What <see cref="IsName"/> asks for, as a part of a sentence.</summary>
    public const string NameRule = "1 to 32 bytes of UTF-8 without control characters, not 'broker', not beginning with '$'";

    /// <summary>What <see cref="IsMessageId"/> asks for, as a part of a sentence.</summary>
    public const string MessageIdRule = "1 to 32 bytes of UTF-8 without control characters, not beginning with '$'";

    /// <summary>True for what can be the name of a client: <see cref="NameRule"/>.</summary>
    public static bool IsName(string name) => IsMessageId(name) && name != Broker;

    /// <summary>True for what can be the id of a message between clients: <see cref="MessageIdRule"/>. Ids that begin with '$' are the broker's.</summary>
    public static bool IsMessageId(string id) => id.Length > 0 && id[0] != '$' && Encoding.UTF8.GetByteCount(id) <= EnvelopeHeader.MaxIdLength
        && !id.EnumerateRunes().Any(r => Rune.IsControl(r) || r == Rune.ReplacementChar);

    /// <summary>True for target ids that mean the broker, or nobody in particular.</summary>
    public static bool IsBroker(string id) => id.Length == 0 || id[0] == '$' || id == Broker;
}
