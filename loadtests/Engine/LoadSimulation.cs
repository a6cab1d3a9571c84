namespace Danube.Fast.LoadTests.Engine;

/// <summary>How load arrives over a stretch of time. Made by <see cref="Simulation"/>.</summary>
public abstract record LoadSimulation(TimeSpan During)
{
    /// <summary>True for the open models: iterations start when they are due, no matter how long the others take.</summary>
    public virtual bool IsOpen => false;
}

/// <summary>Open model: <paramref name="Rate"/> iterations start per interval, evenly spread.</summary>
public sealed record Inject(double Rate, TimeSpan Interval, TimeSpan During) : LoadSimulation(During)
{
    public override bool IsOpen => true;
}

/// <summary>Open model whose rate goes in a straight line from that of the simulation before (else 0) to <paramref name="Rate"/> per interval.</summary>
public sealed record RampingInject(double Rate, TimeSpan Interval, TimeSpan During) : LoadSimulation(During)
{
    public override bool IsOpen => true;
}

/// <summary>Closed model: <paramref name="Copies"/> copies run, each starts its next iteration when the last is over.</summary>
public sealed record KeepConstant(int Copies, TimeSpan During) : LoadSimulation(During);

/// <summary>Closed model whose number of copies goes in a straight line from that of the simulation before (else 0) to <paramref name="Copies"/>.</summary>
public sealed record RampingConstant(int Copies, TimeSpan During) : LoadSimulation(During);

/// <summary>No load.</summary>
public sealed record Pause(TimeSpan During) : LoadSimulation(During);

/// <summary>Load simulations by NBomber's names.</summary>
public static class Simulation
{
    /// <summary>Open model: <paramref name="rate"/> iterations start per <paramref name="interval"/>.</summary>
    public static LoadSimulation Inject(double rate, TimeSpan interval, TimeSpan during) => new Inject(NotNegative(rate), Positive(interval), during);

    /// <summary>Open model that ramps to <paramref name="rate"/> iterations per <paramref name="interval"/>.</summary>
    public static LoadSimulation RampingInject(double rate, TimeSpan interval, TimeSpan during) => new RampingInject(NotNegative(rate), Positive(interval), during);

    /// <summary>Closed model: so many copies, one iteration after the other.</summary>
    public static LoadSimulation KeepConstant(int copies, TimeSpan during) => new KeepConstant((int)NotNegative(copies), during);

    /// <summary>Closed model that ramps to so many copies.</summary>
    public static LoadSimulation RampingConstant(int copies, TimeSpan during) => new RampingConstant((int)NotNegative(copies), during);

    /// <summary>No load.</summary>
    public static LoadSimulation Pause(TimeSpan during) => new Pause(during);

    private static double NotNegative(double value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        return value;
    }

    private static TimeSpan Positive(TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
        return value;
    }
}
