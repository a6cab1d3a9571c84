using System.Net.Sockets;
using Danube.Fast.Bench.Runs;

namespace Danube.Fast.Bench.Peers.Servers;

/// <summary>A running server of one peer on loopback, with its data in a folder of the run.</summary>
internal abstract class PeerServer : IDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(90);

    private readonly RunFolder _folder;
    private readonly List<PeerProcess> _processes = [];

    protected PeerServer(string? dataParent) => _folder = RunFolder.Create(dataParent);

    /// <summary>Name and version, as the server says.</summary>
    public string Version { get; protected set; } = "";

    /// <summary>Port that the clients use.</summary>
    public int Port { get; protected init; }

    /// <summary>The process that does the work.</summary>
    public virtual int ProcessId => _processes[^1].Id;

    /// <summary>The folder of the run: configuration, log and data.</summary>
    public string Folder => _folder.Path;

    /// <summary>Makes an empty stream.</summary>
    public abstract void Create(string stream);

    /// <summary>Messages that the stream holds now.</summary>
    public abstract long Count(string stream);

    /// <summary>True when stored positions of consumers take places in the stream, so that <see cref="Count"/> is too large with a consumer.</summary>
    public virtual bool CountsNotes => false;

    /// <summary>Removes the stream and its data.</summary>
    public abstract void Delete(string stream);

    /// <summary>Keeps the server from using the processor while others are measured.</summary>
    public void Freeze() => _processes.ForEach(p => p.Freeze());

    public void Thaw() => _processes.ForEach(p => p.Thaw());

    public void Dispose()
    {
        _processes.ForEach(p => p.Dispose());
        _folder.Dispose();
    }

    protected string PathOf(string name) => Path.Combine(_folder.Path, name);

    protected PeerProcess Start(string name, IEnumerable<string> command, IReadOnlyDictionary<string, string> environment)
    {
        PeerProcess process = PeerProcess.Start(_folder.Path, name, command, environment);
        _processes.Add(process);
        return process;
    }

    /// <summary>Waits until <paramref name="isReady"/> says so; until then it may also fail to connect.</summary>
    /// <exception cref="PeerUnavailableException">It does not come up.</exception>
    protected void WaitUntil(Func<bool> isReady)
    {
        long began = Environment.TickCount64;
        while (true)
        {
            string reason = "it is not ready";
            try
            {
                if (isReady())
                {
                    return;
                }
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                reason = e.Message;
            }

            if (_processes[^1].HasExited || Environment.TickCount64 - began > StartPatience.TotalMilliseconds)
            {
                throw new PeerUnavailableException($"{GetType().Name} does not come up ({reason}):\n{_processes[^1].Output}");
            }

            Thread.Sleep(50);
        }
    }
}
