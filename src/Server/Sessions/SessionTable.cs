using System.Collections.Concurrent;
using System.Net.Sockets;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Transport;

namespace Danube.Fast.Server.Sessions;

/// <summary>
/// The open connections: starts a session for each accepted socket, looks after silence once a second, closes all at the end.
/// Runs on: the listener's loop (adding), the housekeeping timer. Shared with: metrics.
/// </summary>
internal sealed class SessionTable(SessionServices services)
{
    private const int MaxTurnedAway = 100;

    private readonly ConcurrentDictionary<long, (Session Session, Task Run)> _sessions = new();

    // Of connections that are gone, with the figures below it; the lock of all sums over connections.
    private readonly FrameCounters _gone = new();
    private long _nextId;
    private long _goneBytesIn;
    private long _goneBytesOut;
    private long _goneFirstMs;
    private long _goneLastMs;
    private long _accepted;
    private long _refused;
    private long _slowConsumers;
    private int _count;

    public int Count => Volatile.Read(ref _count);
    public long Accepted => Volatile.Read(ref _accepted);

    /// <summary>Connections turned away because there were too many.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Connections closed because they did not take what was sent to them.</summary>
    public long SlowConsumers => Volatile.Read(ref _slowConsumers);

    public IEnumerable<Session> Sessions => _sessions.Values.Select(s => s.Session);

    /// <summary>Totals over all connections, closed ones included.</summary>
    public (long BytesIn, long BytesOut, long BytesQueued) Bytes()
    {
        lock (_gone)
        {
            long bytesIn = _goneBytesIn, bytesOut = _goneBytesOut, queued = 0;
            foreach (Session session in Sessions)
            {
                bytesIn += session.Connection.BytesReceived;
                bytesOut += session.Connection.Output.BytesSent;
                queued += session.Connection.Output.BytesQueued;
            }

            return (bytesIn, bytesOut, queued);
        }
    }

    /// <summary>When the first bytes came and when bytes last came, over all connections; Unix milliseconds, 0 = none have.</summary>
    public (long First, long Last) MessageTimes()
    {
        lock (_gone)
        {
            long first = _goneFirstMs, last = _goneLastMs;
            foreach (Session session in Sessions)
            {
                NoteTimes(session, ref first, ref last);
            }

            return (first, last);
        }
    }

    public FrameCounters Frames()
    {
        var sum = new FrameCounters();
        lock (_gone)
        {
            sum.Add(_gone);
            foreach (Session session in Sessions)
            {
                sum.Add(session.Counters);
            }
        }

        return sum;
    }

    /// <summary>Takes an accepted socket over. Returns at once.</summary>
    public void OnAccepted(Socket socket)
    {
        Interlocked.Increment(ref _accepted);
        int count = Interlocked.Increment(ref _count);
        Refusal? unwanted = services.State.IsDraining ? BrokerState.DrainingRefusal : count > services.Options.Limits.MaxConnections ? TooMany() : null;
        if (unwanted is not null)
        {
            Interlocked.Increment(ref _refused);
        }

        // Those beyond the limit get a moment to read why, but only so many at a time.
        if (count > services.Options.Limits.MaxConnections + MaxTurnedAway)
        {
            Interlocked.Decrement(ref _count);
            socket.Dispose();
            return;
        }

        long id = Interlocked.Increment(ref _nextId);
        Session session;
        try
        {
            session = new Session(new Connection(id, socket, services.Options.Limits.SendQueueBytes, services.Options.Limits.SendQueueRunBytes), services);
        }
        catch (SocketException)
        {
            // Reset before it was looked at.
            Interlocked.Decrement(ref _count);
            socket.Dispose();
            return;
        }

        if (unwanted is not null)
        {
            session.TurnAway(unwanted.Code, unwanted.Message);
        }

        // The first receive may find bytes at once: not on the accepting loop.
        var started = new TaskCompletionSource();
        _sessions[id] = (session, RunAsync(id, session, started.Task));
        ThreadPool.UnsafeQueueUserWorkItem(static s => s.SetResult(), started, preferLocal: false);
    }

    public void Tick(long nowMs)
    {
        foreach (Session session in Sessions)
        {
            session.Tick(nowMs);
        }
    }

    /// <summary>Says goodbye on every connection, waits up to <paramref name="patience"/> for the bytes to leave, then cuts.</summary>
    public async Task CloseAllAsync(ErrorCode code, string message, TimeSpan patience)
    {
        foreach (Session session in Sessions)
        {
            session.Close(code, message);
        }

        Task all = Task.WhenAll(_sessions.Values.Select(s => s.Run));
        await Task.WhenAny(all, Task.Delay(patience));
        foreach (Session session in Sessions)
        {
            session.Abort();
        }

        await Task.WhenAll(_sessions.Values.Select(s => s.Run));
    }

    private async Task RunAsync(long id, Session session, Task started)
    {
        await started;
        await session.RunAsync();
        Interlocked.Decrement(ref _count);
        lock (_gone)
        {
            // Who sums sees it on one side or the other: totals never go down.
            _sessions.TryRemove(id, out _);
            NoteTimes(session, ref _goneFirstMs, ref _goneLastMs);
            _gone.Add(session.Counters);
            _goneBytesIn += session.Connection.BytesReceived;
            _goneBytesOut += session.Connection.Output.BytesSent;
        }

        if (session.Connection.SendFailure is SendFailure.NoProgress or SendFailure.TooMuchQueued)
        {
            Interlocked.Increment(ref _slowConsumers);
        }
    }

    private static void NoteTimes(Session session, ref long first, ref long last)
    {
        if (session.FirstMessageMs is > 0 and long began)
        {
            first = first == 0 ? began : Math.Min(first, began);
            last = Math.Max(last, session.LastMessageMs);
        }
    }

    private Refusal TooMany() => new(
        ErrorCode.LimitExceeded, $"The broker has {services.Options.Limits.MaxConnections} connections, the most it takes (limits.max_connections).");
}
