namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>The client of each kind of peer.</summary>
internal static class PeerClients
{
    public static IPeerPublisher OpenPublisher(PeerTarget target) => target.Kind switch
    {
        PeerKind.Nats => new NatsPublisher(target),
        PeerKind.NatsFast => new NatsFastPublisher(target),
        PeerKind.Redis => new RedisPublisher(target),
        PeerKind.RedisMany => new RedisManyPublisher(target),
        _ => new StreamPublisher(target),
    };

    public static IPeerSubscriber OpenSubscriber(PeerTarget target) => target.Kind switch
    {
        PeerKind.Nats or PeerKind.NatsFast => new NatsSubscriber(target),
        PeerKind.Redis or PeerKind.RedisMany => new RedisSubscriber(target),
        _ => new StreamSubscriber(target),
    };
}
