using System.CommandLine;
using Danube.Fast.Bench;
using Danube.Fast.Bench.Peers;
using Danube.Fast.Bench.Subcommands;
using Danube.Fast.Bench.Workers;

if (args is ["worker", var job])
{
    return await WorkerHost.RunAsync(job);
}

var root = new RootCommand("Danube.Fast end-to-end benchmark. Every figure is printed with the limit of the machine that was measured in the same run.")
{
    LimitsCommand.Create(),
    RunCommand.Create(),
    AllCommand.Create(),
    MicroCommand.Create(),
    HeadersCommand.Create(),
    PublishCommand.Create(),
    ThroughputCommand.Create(),
    SingleLatencyCommand.Create(),
    EndToEndCommand.Create(),
    ManyTopicsCommand.Create(),
    AllocationCommand.Create(),
    RecordingCommand.Create(),
    RestartCommand.Create(),
    StuckConsumerCommand.Create(),
    MemoryCommand.Create(),
    IsolationCommand.Create(),
    AppendCommand.Create(),
    TelemetryCommand.Create(),
    FuzzCommand.Create(),
    PeersCommand.Create(),
};
return await BenchCommandLine.RunAsync(root, args, Console.Error);
