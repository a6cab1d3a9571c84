using Danube.Fast.Bench.Workers;

namespace Danube.Fast.LoadTests.Engine;

public sealed partial class ScenarioRunner
{
    // Waking for each of many iterations would take a core; what is due within this time starts together.
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMicroseconds(200);

    // A cancelled injector must not sleep on.
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(20);

    /// <summary>The open model. Each iteration starts when it is due or, when the injector is late, with its due time as the beginning of its latency.</summary>
    private Task InjectAsync(ArrivalCurve curve, TimeSpan during, int index, CancellationToken cancellation) =>
        Task.Factory.StartNew(
            () => InjectLoopAsync(curve, during, index, cancellation), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();

    private async Task InjectLoopAsync(ArrivalCurve curve, TimeSpan during, int index, CancellationToken cancellation)
    {
        long started = _time.GetTimestamp();
        double ticksPerSecond = _time.TimestampFrequency;
        for (long done = 0; done < curve.Total;)
        {
            cancellation.ThrowIfCancellationRequested();
            for (long due = curve.DueBy(_time.GetElapsedTime(started)); done < due; done++)
            {
                await _inFlight.EnterAsync(cancellation);
                _ = RunInjectedAsync(started + (long)(curve.TimeOf(done).TotalSeconds * ticksPerSecond), (int)(done & int.MaxValue), index, cancellation);
            }

            if (done < curve.Total)
            {
                await PauseUntilAsync(started, curve.TimeOf(done), cancellation);
            }
        }

        while (_time.GetElapsedTime(started) < during)
        {
            await PauseUntilAsync(started, during, cancellation);
        }
    }

    // With the system's clock the injector's own thread sleeps: a timer would be a millisecond late. Any other clock has its timers.
    private Task PauseUntilAsync(long started, TimeSpan until, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        TimeSpan left = until - _time.GetElapsedTime(started);
        if (_time != TimeProvider.System)
        {
            // A delay is cut to whole milliseconds: what is left must not become none.
            return left > TimeSpan.Zero ? Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), _time, cancellation) : Task.CompletedTask;
        }

        left = left < ShortestPause ? ShortestPause : left > LongestPause ? LongestPause : left;
        ShortSleep.For((long)left.TotalNanoseconds);
        return Task.CompletedTask;
    }

    private async Task RunInjectedAsync(long intended, int instance, int index, CancellationToken cancellation)
    {
        try
        {
            await IterateAsync(new ScenarioContext(_recorder, cancellation)
            {
                InstanceNumber = instance,
                SimulationIndex = index,
                IntendedTimestamp = intended,
                FirstStepTimestamp = intended,
            });
        }
        catch (OperationCanceledException)
        {
            // Interrupted.
        }
        finally
        {
            _inFlight.Leave();
        }
    }
}
