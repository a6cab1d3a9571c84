using Danube.Fast.Bench.Peers.Servers;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Peers;

/// <summary>A round of this project's broker, on topics of its own, through the public client.</summary>
internal sealed class DanubeSession(PeerScenario scenario, double rate, DanubeServer server, LoadSession session) : ContenderSession(scenario, rate)
{
    protected override int ServerProcess => session.Broker.Pid;
    protected override WorkerProcess Producer => session.Producer.Processes[0];
    protected override WorkerProcess? Consumer => session.Consumer?.Processes[0];

    public static async Task<DanubeSession> StartAsync(PeerScenario scenario, DanubeServer server, string durability, double rate, PeerPlan plan)
    {
        var setup = new LoadSetup
        {
            SizeBytes = scenario.SizeBytes,
            Durability = durability,
            Topics = scenario.Topics,
            Producers = scenario.Topics,
            Consumers = scenario.HasConsumer ? 1 : 0,
            OneAtATime = scenario.Shape == LoadShape.Single,
            Rate = rate,
            WindowBytes = (long)plan.Window * scenario.SizeBytes / scenario.Topics,
            DataParent = plan.DataParent,
        };
        return new DanubeSession(scenario, rate, server, await server.BeginRoundAsync(setup));
    }

    public override ValueTask DisposeAsync() => server.EndRoundAsync(session);

    protected override async Task<long> CountAsync() => (long)(await BrokerMetrics.ReadAsync(session.Broker.Http)).Sum("danube_topic_messages_in_total", session.TopicPrefix);
}
