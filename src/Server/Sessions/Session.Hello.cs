using System.Text.Json;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Sessions;

/// <summary>The negotiation at the start of a connection.</summary>
internal sealed partial class Session
{
    private const int NewestVersion = 2;

    // Another broker of the cluster, which moves dead letters here.
    private bool _isPeer;

    private void OnHello(Envelope message)
    {
        if (_greeted)
        {
            Refuse(message, new Refusal(ErrorCode.BadRequest, "HELLO was answered already; it is said once per connection."));
            return;
        }

        HelloPayload hello;
        try
        {
            hello = Read(message, ControlJson.Default.HelloPayload);
        }
        catch (JsonException e)
        {
            RejectHello(message, ErrorCode.BadRequest, "The payload of $hello is not what it must be: " + JsonFault.Describe(e));
            return;
        }

        int version = hello.Versions.Where(v => v is >= 1 and <= NewestVersion).DefaultIfEmpty(0).Max();
        if (version == 0)
        {
            RejectHello(message, ErrorCode.UnsupportedVersion, $"This broker speaks versions 1 to {NewestVersion}, HELLO offers none of them.");
            return;
        }

        if (hello.MaxFrame < ProtocolLimits.MaxFrameBeforeHello)
        {
            RejectHello(message, ErrorCode.BadRequest, $"max_frame is {hello.MaxFrame}, but it must be from {ProtocolLimits.MaxFrameBeforeHello} to {ProtocolLimits.MaxNegotiableFrame} bytes; this broker takes up to {_services.Options.Limits.MaxFrameBytes}.");
            return;
        }

        if (!string.IsNullOrEmpty(hello.ClientName) && !PeerNames.IsName(hello.ClientName))
        {
            RejectHello(message, ErrorCode.BadRequest, $"client_name is no name for a client: it takes {PeerNames.NameRule}. Leave it out to be reached by nobody.");
            return;
        }

        _isPeer = _services.IsPeer is not null && PeerIdentity.IsClaimed(hello.ClientName);
        if (_isPeer && !_services.IsPeer!(hello.ClientName!))
        {
            RejectHello(message, ErrorCode.BadRequest, $"Client names that begin with '{PeerIdentity.Prefix}' are for the brokers of this cluster, and this one is none of them: choose another name.");
            return;
        }

        // A line is an envelope: there are no version-2 frames among lines.
        version = _lines is null ? version : 1;
        _maxFrame = Math.Min(hello.MaxFrame, _services.Options.Limits.MaxFrameBytes);
        EnterDirectory(hello.ClientName);
        AnswerHello(message, version, [.. Compression.Names.Where(hello.Codecs.Contains)]);
        _greeted = true;
        _helloDone = true;
        _isStream = version >= 2;
    }

    private void AnswerHello(Envelope message, int version, string[] codecs)
    {
        var reply = new HelloReply { Version = version, MaxFrame = _maxFrame, Codecs = codecs, BrokerName = _services.BrokerName, ClientName = HeldName, BrokerId = _services.BrokerId, Brokers = _services.Topics.Lookup?.Addresses };
        _counters.OnSent(FrameType.Event, PayloadEncoding.Json);
        _output.Send(_codec.Encode(new Envelope
        {
            Type = FrameType.Event,
            Id = Commands.Hello,
            Source = BrokerSource,
            Target = message.Source,
            CorrelationId = message.CorrelationId,
            Payload = JsonSerializer.SerializeToUtf8Bytes(reply, ControlJson.Default.HelloReply),
        }));
    }

    private void RejectHello(Envelope message, ErrorCode code, string text)
    {
        _closeReason = ErrorCodes.Name(code);
        Refuse(message, new Refusal(code, text));
        End();
    }
}
