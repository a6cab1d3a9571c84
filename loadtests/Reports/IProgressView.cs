using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Scenarios;
using Danube.Fast.LoadTests.Watch;

namespace Danube.Fast.LoadTests.Reports;

/// <summary>Shows a run while it runs.</summary>
public interface IProgressView
{
    /// <summary>Runs <paramref name="body"/> with the display around it.</summary>
    Task<T> RunAsync<T>(ScenarioRecorder recorder, ScenarioEntry entry, ScenarioSettings settings, Func<Task<T>> body);

    /// <summary>Called once a second with what the last second brought.</summary>
    void Show(ScenarioRecorder recorder, IReadOnlyDictionary<string, TimelinePoint> second, BrokerSample? broker);
}

/// <summary>For tests and <c>--quiet</c>.</summary>
public sealed class NoProgress : IProgressView
{
    public Task<T> RunAsync<T>(ScenarioRecorder recorder, ScenarioEntry entry, ScenarioSettings settings, Func<Task<T>> body) => body();

    public void Show(ScenarioRecorder recorder, IReadOnlyDictionary<string, TimelinePoint> second, BrokerSample? broker)
    {
    }
}
