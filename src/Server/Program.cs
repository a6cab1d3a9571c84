using System.Globalization;
using System.Runtime.InteropServices;
using Danube.Fast.Server;
using Danube.Fast.Server.Configuration;
using Microsoft.Extensions.Logging;

const int Usage = 2;

return await CommandLine.InvokeAsync(args, RunAsync, Refuse);

// One line on standard error, exit code 2: what is wrong has to be changed before it is tried again.
static int Refuse(string message)
{
    Console.Error.WriteLine("danube-broker: " + message.ReplaceLineEndings(" "));
    return Usage;
}

static async Task<int> RunAsync(BrokerOptions options, bool stopWithInput)
{
    using ILoggerFactory logs = ConsoleLogs.Create(options.Log);
    ILogger log = logs.CreateLogger(LogCategories.Prefix + nameof(LogCategories.Broker));
    var stop = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
    int signals = 0;
    using PosixSignalRegistration term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
    using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);

    if (stopWithInput)
    {
        // A blocked read would hold the end of the process up on no thread but this one.
        new Thread(WaitForInputEnd) { IsBackground = true, Name = "standard input" }.Start();
    }

    BrokerHost host;
    try
    {
        host = await BrokerHost.StartAsync(options, logs);
    }
    catch (Exception e) when (e is BrokerStartException or ConfigException)
    {
        return Refuse(e.Message);
    }

    await using (host)
    {
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"DANUBE native={host.NativeEndPoint} http={host.HttpEndPoint} pid={Environment.ProcessId} data={host.DataDirectory}"));
        Console.Out.Flush();
        await host.DrainAsync(await stop.Task);
    }

    return 0;

    void WaitForInputEnd()
    {
        using Stream input = Console.OpenStandardInput();
        Span<byte> ignored = stackalloc byte[256];
        try
        {
            while (input.Read(ignored) > 0)
            {
            }
        }
        catch (IOException)
        {
            // As good as its end.
        }

        stop.TrySetResult("the end of the standard input");
    }

    void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref signals) == 1)
        {
            stop.TrySetResult(context.Signal.ToString());
            return;
        }

        Log.ForcedExit(log);
        Environment.Exit(128 + (context.Signal == PosixSignal.SIGTERM ? 15 : 2));
    }
}
