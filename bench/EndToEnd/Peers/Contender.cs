using Danube.Fast.Bench.Peers.Servers;
using Danube.Fast.Bench.Peers.Workers;

namespace Danube.Fast.Bench.Peers;

/// <summary>One row of every scenario: a server with a setting, the client that speaks to it, and what its acknowledgement means.</summary>
/// <param name="Name">As the table shows it.</param>
/// <param name="Durability"><c>fsync</c>, <c>os</c> or <c>memory</c>: what an acknowledgement means by that server's documentation.</param>
/// <param name="Client">The client, and what is particular about it.</param>
/// <param name="Kind">Null for this project's broker.</param>
/// <param name="Server">Null for this project's broker.</param>
/// <param name="Danube">Of this project's broker.</param>
internal sealed record Contender(string Name, string Durability, string Client, PeerKind? Kind = null, PeerServer? Server = null, DanubeServer? Danube = null)
{
    public bool IsDanube => Kind is null;

    /// <summary>False for variants that exist for one kind of load only.</summary>
    public bool Joins(PeerScenario scenario) => Kind switch
    {
        PeerKind.NatsFast or PeerKind.RedisMany or PeerKind.RabbitMqPacked when scenario.Topics > 1 => false,
        PeerKind.NatsFast or PeerKind.RabbitMqPacked => scenario.Shape is LoadShape.Publish or LoadShape.Consume,
        PeerKind.RedisMany => scenario.Shape == LoadShape.Publish,
        _ => true,
    };

    /// <summary>Starts a round.</summary>
    /// <param name="scenario">What is measured.</param>
    /// <param name="rate">Messages per second; 0 = as fast as it goes.</param>
    /// <param name="plan">What is the same for all.</param>
    public async Task<ContenderSession> StartAsync(PeerScenario scenario, double rate, PeerPlan plan) => Kind is { } kind
        ? await PeerSession.StartAsync(scenario, Server!, kind, rate, plan)
        : await DanubeSession.StartAsync(scenario, Danube!, Durability, rate, plan);
}
