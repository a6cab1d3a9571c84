namespace Danube.Fast.LoadTests.Engine;

/// <summary>What one iteration knows. Runs on: the iteration.</summary>
public sealed class ScenarioContext
{
    internal ScenarioContext(ScenarioRecorder recorder, CancellationToken cancellation)
    {
        Recorder = recorder;
        Cancellation = cancellation;
    }

    /// <summary>Where steps are recorded.</summary>
    public ScenarioRecorder Recorder { get; }

    /// <summary>Number of the copy in the closed model, from 0. Injected iterations count up.</summary>
    public int InstanceNumber { get; internal init; }

    /// <summary>Number of the iteration in this scenario, from 0, warm-up included.</summary>
    public long InvocationNumber { get; internal set; }

    /// <summary>Index of the load simulation that started it; warm-up runs the first.</summary>
    public int SimulationIndex { get; internal init; }

    /// <summary>When the iteration was due (open model) or began (closed model), in ticks of the clock's time stamps.</summary>
    public long IntendedTimestamp { get; internal set; }

    /// <summary>Cancelled by Ctrl-C.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>
    /// When the next step begins: the first one of an injected iteration began when the iteration was due, so a late injector or a full window is charged
    /// to it (no coordinated omission).
    /// </summary>
    internal long? FirstStepTimestamp { get; set; }
}

/// <summary>A named and timed part of an iteration.</summary>
public static class Step
{
    /// <summary>Runs and times a step; it appears under its name in the report. An exception is a failed response.</summary>
    public static async Task<Response> Run(string name, ScenarioContext context, Func<Task<Response>> run)
    {
        ScenarioRecorder recorder = context.Recorder;
        long started = context.FirstStepTimestamp ?? recorder.Time.GetTimestamp();
        context.FirstStepTimestamp = null;
        Response response = await SafelyAsync(run);
        recorder.Step(name).Record(response, started);
        return response;
    }

    internal static async Task<Response> SafelyAsync(Func<Task<Response>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Response.Fail($"{e.GetType().Name}: {e.Message}");
        }
    }
}
