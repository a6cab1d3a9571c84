namespace Danube.Fast.Server.Sessions;

/// <summary>
/// The channels of a connection: small numbers from 1 up. A number is a place (low 16 bits) and how often the place was used
/// before (high 16 bits), so frames that were on the way to a closed channel never reach the next one in its place.
/// Runs on: <see cref="Find"/> on the receive loop without a lock. Shared with: engine threads that close channels.
/// </summary>
internal sealed class ChannelTable(int maxOpen)
{
    private const int PlaceBits = 16;
    private const uint PlaceMask = (1 << PlaceBits) - 1;

    private readonly Lock _gate = new();
    private readonly Queue<uint> _free = new();
    private Channel?[] _places = new Channel?[4];
    private uint[] _nextIds = new uint[4];
    private int _used = 1;

    /// <summary>Open channels.</summary>
    public int Count { get; private set; }

    /// <summary>The open channel of a number, or null.</summary>
    public Channel? Find(uint id)
    {
        Channel?[] places = Volatile.Read(ref _places);
        uint place = id & PlaceMask;
        Channel? channel = place < (uint)places.Length ? Volatile.Read(ref places[place]) : null;
        return channel?.Id == id ? channel : null;
    }

    /// <summary>True for a number that was once given out on this connection.</summary>
    public bool WasOpen(uint id)
    {
        lock (_gate)
        {
            uint place = id & PlaceMask;
            return place > 0 && place < _used && id >> PlaceBits <= _nextIds[place] >> PlaceBits && Find(id) is null;
        }
    }

    /// <summary>Enters the channel that <paramref name="make"/> builds for a free number. Null when all are in use.</summary>
    public Channel? Add(Func<uint, Channel> make)
    {
        lock (_gate)
        {
            if (Count == maxOpen)
            {
                return null;
            }

            uint id = TakeNumber();
            Channel channel = make(id);
            Volatile.Write(ref _places[id & PlaceMask], channel);
            Count++;
            return channel;
        }
    }

    /// <summary>Forgets a channel; false when it is not open.</summary>
    public bool Remove(Channel channel)
    {
        lock (_gate)
        {
            uint place = channel.Id & PlaceMask;
            if (_places[place] != channel)
            {
                return false;
            }

            Volatile.Write(ref _places[place], null);
            _nextIds[place] = channel.Id + (1 << PlaceBits);
            _free.Enqueue(place);
            Count--;
            return true;
        }
    }

    /// <summary>All open channels, as of now.</summary>
    public Channel[] ToArray()
    {
        lock (_gate)
        {
            return [.. _places.OfType<Channel>()];
        }
    }

    private uint TakeNumber()
    {
        if (_free.TryDequeue(out uint place))
        {
            return _nextIds[place];
        }

        if (_used == _places.Length)
        {
            int size = _places.Length * 2;
            var places = new Channel?[size];
            _places.CopyTo(places, 0);
            Array.Resize(ref _nextIds, size);
            Volatile.Write(ref _places, places);
        }

        _nextIds[_used] = (uint)_used;
        return (uint)_used++;
    }
}
