namespace Danube.Fast.Wal;

/// <summary>Runs a directory's upkeep about ten times a second on a thread of its own.</summary>
internal sealed class Janitor : IDisposable
{
    private const int RoundMs = 100;
    private readonly DataDirectory _directory;
    private readonly ManualResetEventSlim _stop = new(false);
    private readonly Thread _thread;

    public Janitor(DataDirectory directory)
    {
        _directory = directory;
        _thread = new Thread(Loop) { Name = "danube-janitor", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Ends the thread after the round it is in.</summary>
    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Loop()
    {
        while (!_stop.Wait(RoundMs))
        {
            _directory.Tick(_directory.NowMs);
        }
    }
}
