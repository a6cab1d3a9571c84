using System.Runtime.InteropServices;

namespace Danube.Fast.LoadTests.Runs;

/// <summary>
/// While one of these lives, SIGINT is ignored, and a process started meanwhile ignores it for good: a terminal sends Ctrl-C to the broker too, which has to
/// stay until what is on its way has arrived. Does nothing where there is no such signal. Runs on: one thread.
/// </summary>
internal sealed partial class InterruptShield : IDisposable
{
    private const int SigInt = 2;

    // Larger than struct sigaction of any system; the handler is its first member, and 1 is SIG_IGN.
    private const int ActionBytes = 512;

    private readonly byte[]? _before;

    public InterruptShield()
    {
        if (!OperatingSystem.IsWindows())
        {
            byte[] ignore = new byte[ActionBytes], before = new byte[ActionBytes];
            ignore[0] = 1;
            _before = SetAction(SigInt, ignore, before) == 0 ? before : null;
        }
    }

    public void Dispose()
    {
        if (_before is not null)
        {
            _ = SetAction(SigInt, _before, new byte[ActionBytes]);
        }
    }

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int SetAction(int signal, byte[] action, [Out] byte[] before);
}
