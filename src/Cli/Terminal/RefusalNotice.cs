using Danube.Fast.Client;

namespace Danube.Fast.Cli.Terminal;

/// <summary>
/// Tells the person at the terminal why nothing goes on while the broker refuses messages: once that has lasted a moment, and again now and then. Runs on: the
/// client's threads, one call at a time per producer.
/// </summary>
internal sealed class RefusalNotice(TextWriter error, Func<long> progress, TimeProvider time)
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1), Pause = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private long _progress = -1;
    private long _since;
    private long _next;

    /// <summary>The broker has refused once more.</summary>
    public void OnRefused(DanubeException refusal)
    {
        lock (_lock)
        {
            long now = time.GetTimestamp(), done = progress();
            if (done != _progress)
            {
                (_progress, _since, _next) = (done, now, now + ToTimestamp(Moment));
            }

            if (now >= _next)
            {
                _next = now + ToTimestamp(Pause);
                error.WriteLine($"danube-cli: the broker has refused for {time.GetElapsedTime(_since, now).TotalSeconds:0} s; it is tried again ({refusal.Message})");
            }
        }
    }

    private long ToTimestamp(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
