namespace Danube.Fast.LoadTests.Engine;

/// <summary>How load arrives over time.</summary>
public abstract record LoadSimulation(TimeSpan During);

/// <summary>Open model: so many iterations start per interval, no matter how long each takes.</summary>
public sealed record Inject(int Rate, TimeSpan Interval, TimeSpan During) : LoadSimulation(During);

/// <summary>Closed model: so many copies run, each starts its next iteration when the last is over.</summary>
public sealed record KeepConstant(int Copies, TimeSpan During) : LoadSimulation(During);
