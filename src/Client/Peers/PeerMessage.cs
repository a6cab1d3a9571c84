namespace Danube.Fast.Client;

/// <summary>A request or an event that another client has sent to this one.</summary>
public sealed class PeerMessage
{
    internal PeerMessage(string id, string source, ReadOnlyMemory<byte> payload)
    {
        Id = id;
        Source = source;
        Payload = payload;
    }

    /// <summary>What is asked or told; the name that the handler was registered under.</summary>
    public string Id { get; }

    /// <summary>Name of the client that sent it.</summary>
    public string Source { get; }

    /// <summary>The content. It stays valid. A text from a client that speaks JSON lines is here as that text, in UTF-8; other JSON as it was written.</summary>
    public ReadOnlyMemory<byte> Payload { get; }
}
