using System.Globalization;
using System.Runtime.InteropServices;
using Danube.Fast.Server;
using Danube.Fast.Server.Configuration;
using Microsoft.Extensions.Logging;

const int Failure = 1;
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
    using var giveUp = new CancellationTokenSource();
    try
    {
        // A broker of a cluster may wait long for its metadata store; a signal ends that.
        Task<BrokerHost> starting = BrokerHost.StartAsync(options, logs, giveUp.Token);
        if (await Task.WhenAny(starting, stop.Task) == stop.Task)
        {
            await giveUp.CancelAsync();
        }

        host = await starting;
    }
    catch (OperationCanceledException) when (giveUp.IsCancellationRequested)
    {
        return 0;
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
        Task<string> ended = await Task.WhenAny(stop.Task, host.MustStop);
        await host.DrainAsync(await ended);
        return ended == host.MustStop ? Failure : 0;
    }

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
