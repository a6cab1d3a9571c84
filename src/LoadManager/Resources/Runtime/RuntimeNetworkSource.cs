using System.Net.NetworkInformation;

namespace Danube.Fast.LoadManager;

/// <summary>Traffic of the interfaces that are up, without loopback and tunnels, whose traffic another interface carries as well.</summary>
internal sealed class RuntimeNetworkSource(TimeProvider clock) : IResourceSource<NetworkIoStats>
{
    private readonly Dictionary<string, Rates> _rates = [];

    public string Description => "of the interfaces that are up, without loopback";

    public NetworkIoStats? Read()
    {
        double received = 0, sent = 0;
        bool isKnown = false;
        try
        {
            foreach (NetworkInterface card in NetworkInterface.GetAllNetworkInterfaces())
            {
                if (card.OperationalStatus != OperationalStatus.Up || card.NetworkInterfaceType is NetworkInterfaceType.Loopback or NetworkInterfaceType.Tunnel)
                {
                    _rates.Remove(card.Id);
                    continue;
                }

                IPInterfaceStatistics totals = card.GetIPStatistics();
                if (!_rates.TryGetValue(card.Id, out Rates? rates))
                {
                    _rates[card.Id] = rates = new Rates();
                }

                long now = clock.GetTimestamp();
                double? rateIn = rates.Received.Next((ulong)totals.BytesReceived, now, clock), rateOut = rates.Sent.Next((ulong)totals.BytesSent, now, clock);
                received += rateIn ?? 0;
                sent += rateOut ?? 0;
                isKnown |= rateIn is not null && rateOut is not null;
            }
        }
        catch (Exception e) when (e is NetworkInformationException or PlatformNotSupportedException)
        {
            throw new IOException("The network interfaces cannot be read.", e);
        }

        return isKnown || _rates.Count == 0 ? new NetworkIoStats(received, sent) : null;
    }

    private sealed class Rates
    {
        internal CounterRate Received;
        internal CounterRate Sent;
    }
}
