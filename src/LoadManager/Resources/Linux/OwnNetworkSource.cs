namespace Danube.Fast.LoadManager;

/// <summary>Traffic of the broker's own sockets.</summary>
internal sealed class OwnNetworkSource(Func<NetworkTotals> totals, TimeProvider clock) : IResourceSource<NetworkIoStats>
{
    private CounterRate _received;
    private CounterRate _sent;

    public string Description => "of the process's sockets";

    public NetworkIoStats? Read()
    {
        NetworkTotals now = totals();
        long at = clock.GetTimestamp();
        double? received = _received.Next((ulong)now.ReceivedBytes, at, clock), sent = _sent.Next((ulong)now.SentBytes, at, clock);
        return received is { } r && sent is { } s ? new NetworkIoStats(r, s) : null;
    }
}
