using System.Collections.Concurrent;

namespace Danube.Fast.Server.Sessions;

/// <summary>
/// Which connection is reached under which client name. The first that gives a name holds it until it ends; then the oldest of
/// those that gave the same name. So nobody takes a name from a client that is there.
/// Runs on: receive loops; <see cref="Find"/> takes no lock. Shared with: all sessions.
/// </summary>
internal sealed class ClientDirectory
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, Session> _holders = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Session>> _waiting = new(StringComparer.Ordinal);

    /// <summary>The connection that holds a name, or null.</summary>
    public Session? Find(string name) => _holders.GetValueOrDefault(name);

    /// <summary>Enters a connection under the name that it gave: as its holder, or to inherit it.</summary>
    public void Enter(string name, Session session)
    {
        lock (_gate)
        {
            if (!_holders.TryAdd(name, session))
            {
                if (!_waiting.TryGetValue(name, out List<Session>? line))
                {
                    _waiting[name] = line = [];
                }

                line.Add(session);
            }
        }
    }

    /// <summary>The connection has ended.</summary>
    public void Leave(string name, Session session)
    {
        lock (_gate)
        {
            _waiting.TryGetValue(name, out List<Session>? line);
            if (Find(name) != session)
            {
                line?.Remove(session);
            }
            else if (line is null)
            {
                _holders.TryRemove(name, out _);
            }
            else
            {
                _holders[name] = line[0];
                line.RemoveAt(0);
            }

            if (line is { Count: 0 })
            {
                _waiting.Remove(name);
            }
        }
    }
}
