using System.Globalization;
using System.Text;

namespace Danube.Fast.LoadManager;

/// <summary>
/// Traffic of the interfaces that are up, in <c>/proc/net/dev</c>: without loopback, and without members of a bond or bridge, whose traffic the
/// bond or bridge counts. Each interface has rates of its own, so that one that appears or is reset does not look like traffic.
/// </summary>
internal sealed class NetworkSource : IResourceSource<NetworkIoStats>
{
    private const int FieldsBetween = 7;
    private const int IsUp = 0x1, IsLoopback = 0x8;

    private readonly MonitorEnvironment _environment;
    private readonly SystemFile _file;
    private readonly SystemFile _detail = new();
    private readonly string _path;
    private readonly Dictionary<string, Rates> _rates = [];
    private int _round;

    public NetworkSource(MonitorEnvironment environment, SystemFile file)
    {
        _environment = environment;
        _file = file;
        _path = environment.At("proc/self/net/dev");
        if (!File.Exists(_path))
        {
            _path = environment.At("proc/net/dev");
        }
    }

    public string Description => "of the interfaces that are up, without loopback";

    public NetworkIoStats? Read()
    {
        _round++;
        double received = 0, sent = 0;
        bool isKnown = false, hasInterface = false;
        long now = _environment.Clock.GetTimestamp();
        var lines = new TextLines(_file.Read(_path));
        while (lines.Next(out ReadOnlySpan<byte> line))
        {
            int colon = line.IndexOf((byte)':');
            if (colon < 0)
            {
                continue;
            }

            Rates rates = RatesOf(line[..colon].Trim(" \t"u8));
            line = line[(colon + 1)..];
            if (!TextLines.NextNumber(ref line, out ulong bytesIn) || !Counts(rates))
            {
                continue;
            }

            TextLines.Skip(ref line, FieldsBetween);
            TextLines.NextNumber(ref line, out ulong bytesOut);
            hasInterface = true;
            double? rateIn = rates.Received.Next(bytesIn, now, _environment.Clock), rateOut = rates.Sent.Next(bytesOut, now, _environment.Clock);
            received += rateIn ?? 0;
            sent += rateOut ?? 0;
            isKnown |= rateIn is not null && rateOut is not null;
        }

        Forget();
        // Without any interface but loopback nothing can be carried: that is a measured zero.
        return isKnown || !hasInterface ? new NetworkIoStats(received, sent) : null;
    }

    /// <summary>Bytes per second in both directions that the interfaces can carry; null when one of them does not say.</summary>
    public double? Capacity()
    {
        double megabits = 0;
        foreach (Rates rates in _rates.Values)
        {
            if (!rates.IsCounted)
            {
                continue;
            }

            ReadOnlySpan<byte> text = Detail(rates.Name, "speed");
            if (!TextLines.NextNumber(ref text, out ulong speed) || speed == 0)
            {
                return null;
            }

            megabits += speed;
        }

        return megabits > 0 ? megabits * 1_000_000 / 8 * 2 : null;
    }

    private Rates RatesOf(ReadOnlySpan<byte> name)
    {
        Span<char> text = stackalloc char[Math.Min(name.Length, 64)];
        int length = Encoding.ASCII.GetChars(name[..text.Length], text);
        Dictionary<string, Rates>.AlternateLookup<ReadOnlySpan<char>> lookup = _rates.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!lookup.TryGetValue(text[..length], out Rates? rates))
        {
            rates = new Rates(text[..length].ToString());
            _rates[rates.Name] = rates;
        }

        rates.Round = _round;
        return rates;
    }

    private bool Counts(Rates rates)
    {
        ReadOnlySpan<byte> text = Detail(rates.Name, "flags");
        ReadOnlySpan<byte> hex = TextLines.NextField(ref text);
        bool isLoopback = rates.Name == "lo", isUp = true;
        if (hex.Length > 2 && int.TryParse(hex[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int flags))
        {
            isLoopback |= (flags & IsLoopback) != 0;
            isUp = (flags & IsUp) != 0;
        }

        // A member of a bond or bridge has a link to it.
        bool isMember = !isLoopback && isUp && Path.Exists(_environment.At($"sys/class/net/{rates.Name}/master"));
        bool counts = !isLoopback && isUp && !isMember;
        if (rates.IsCounted && !counts)
        {
            rates.Received.Forget();
            rates.Sent.Forget();
        }

        rates.IsCounted = counts;
        return counts;
    }

    private ReadOnlySpan<byte> Detail(string name, string file) => _detail.ReadOrEmpty(_environment.At($"sys/class/net/{name}/{file}"));

    private void Forget()
    {
        foreach (Rates gone in _rates.Values.Where(r => r.Round != _round).ToArray())
        {
            _rates.Remove(gone.Name);
        }
    }

    private sealed class Rates(string name)
    {
        // Fields, because the rates are changed in place.
        internal CounterRate Received;
        internal CounterRate Sent;

        public string Name { get; } = name;
        public bool IsCounted { get; set; }
        public int Round { get; set; }
    }
}
