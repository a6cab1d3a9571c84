using Danube.Fast.Client;

namespace Danube.Fast.Cli.Terminal;

/// <summary>
/// Tells the person at the terminal why nothing goes on: while the broker refuses messages, once that has lasted a moment, and while it says nothing at all; again now and then.
/// Runs on: the client's threads and a timer.
/// </summary>
/// <param name="error">Receives the lines.</param>
/// <param name="progress">A number that changes when something goes on.</param>
/// <param name="time">The clock.</param>
internal sealed class WaitNotice(TextWriter error, Func<long> progress, TimeProvider time)
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1), Silence = TimeSpan.FromSeconds(5), Pause = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private long _progress = -1;
    private long _since;
    private long _next;
    private DanubeException? _refusal;
    private long _refusedAt;

    /// <summary>The broker has refused once more.</summary>
    public void OnRefused(DanubeException refusal)
    {
        lock (_lock)
        {
            bool isDue = IsDue(Moment);
            (_refusal, _refusedAt) = (refusal, time.GetTimestamp());
            if (isDue)
            {
                WriteRefusal(refusal);
            }
        }
    }

    /// <summary>A look at the clock.</summary>
    /// <param name="waitsFor">What is waited for; null when nothing is, or somebody else has said it.</param>
    public void OnTick(string? waitsFor)
    {
        lock (_lock)
        {
            if (waitsFor is null)
            {
                _progress = -1;
            }
            else if (IsDue(Silence))
            {
                // A broker that refuses again and again does answer: the tries are seconds apart.
                if (_refusal is { } refusal && time.GetElapsedTime(_refusedAt) < Pause)
                {
                    WriteRefusal(refusal);
                }
                else
                {
                    error.WriteLine($"danube-cli: no answer for {Waited()} s; waiting for {waitsFor}");
                }
            }
        }
    }

    // Under the lock. A line is due when nothing has gone on for so long, and the last one was a pause ago.
    private bool IsDue(TimeSpan after)
    {
        long now = time.GetTimestamp(), done = progress();
        if (done != _progress)
        {
            (_progress, _since, _next, _refusal) = (done, now, now, null);
        }

        if (now < _next || time.GetElapsedTime(_since, now) < after)
        {
            return false;
        }

        _next = now + (long)(Pause.TotalSeconds * time.TimestampFrequency);
        return true;
    }

    private void WriteRefusal(DanubeException refusal) =>
        error.WriteLine($"danube-cli: the broker has refused for {Waited()} s; it is tried again ({refusal.Message})");

    private string Waited() => time.GetElapsedTime(_since).TotalSeconds.ToString("0", System.Globalization.CultureInfo.InvariantCulture);
}
