namespace Danube.Fast.Core.Tests;

/// <summary>A proof that is there or not, as the test says.</summary>
internal sealed class SwitchedGate : OwnershipGate
{
    private volatile bool _isOpen = true;
    private int _asked;

    public bool IsOpen
    {
        get => _isOpen;
        set => _isOpen = value;
    }

    public int Asked => Volatile.Read(ref _asked);

    /// <summary>Called once when it is asked next, after the answer was chosen.</summary>
    public Action? AskedOnce { get; set; }

    public override bool MayAcknowledge
    {
        get
        {
            Interlocked.Increment(ref _asked);
            bool answer = _isOpen;
            Action? hook = AskedOnce;
            AskedOnce = null;
            hook?.Invoke();
            return answer;
        }
    }
}
