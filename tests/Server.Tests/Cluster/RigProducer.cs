using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>A connection to a broker of a <see cref="ClusterRig"/> with a producer on a topic that it serves.</summary>
internal sealed class RigProducer : IDisposable
{
    private ulong _next;

    private RigProducer(RigBroker broker, RawClient client, CreateProducerReply reply)
    {
        Broker = broker;
        Client = client;
        Reply = reply;
        _next = reply.LastSequence + 1;
    }

    public RigBroker Broker { get; }

    public RawClient Client { get; }

    public CreateProducerReply Reply { get; }

    public static async Task<RigProducer> OpenAsync(RigBroker broker, string topic)
    {
        RawClient client = await broker.HelloAsync();
        return new RigProducer(broker, client, await client.CreateProducerAsync(topic));
    }

    /// <summary>Sends messages in one frame.</summary>
    public Task SendAsync(params string[] messages)
    {
        ulong first = _next;
        _next += (ulong)messages.Length;
        return Client.SendAsync(Frames.Publish(Reply, first, [.. messages.Select(Encoding.UTF8.GetBytes)]));
    }

    /// <summary>The same, and takes the acknowledgement.</summary>
    public async Task<ReceivedFrame> PublishAsync(params string[] messages)
    {
        await SendAsync(messages);
        return await Client.ReceiveAsync(FrameType.PublishAck);
    }

    public void Dispose() => Client.Dispose();
}
