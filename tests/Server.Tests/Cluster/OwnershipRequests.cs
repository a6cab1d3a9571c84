using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>What clients ask a broker about a topic that it may not serve.</summary>
internal static class OwnershipRequests
{
    public static async Task<LookupReply> LookupAsync(this RawClient client, string topic) =>
        (await client.RequestAsync(Commands.Lookup, new LookupRequest { Topic = topic }, ControlJson.Default.LookupRequest)).Payload(ControlJson.Default.LookupReply);

    /// <summary>Sends a request on a topic that must be refused with this code: the error.</summary>
    public static async Task<ErrorPayload> RefusedAsync(this RawClient client, string command, string topic, ErrorCode code)
    {
        ReceivedFrame frame = command switch
        {
            Commands.CreateProducer => await client.RequestAsync(command, new CreateProducerRequest { Topic = topic, Name = "refused" }, ControlJson.Default.CreateProducerRequest),
            Commands.Subscribe => await client.RequestAsync(
                command, new SubscribeRequest { Topic = topic, Subscription = "s", Type = "exclusive", Start = "earliest" }, ControlJson.Default.SubscribeRequest),
            _ => await client.RequestAsync(command, new TopicRequest { Topic = topic }, ControlJson.Default.TopicRequest),
        };
        Assert.Equal(FrameType.Error, frame.Type);
        Assert.Equal(ErrorCodes.Name(code), frame.Error.Code);
        return frame.Error;
    }
}
