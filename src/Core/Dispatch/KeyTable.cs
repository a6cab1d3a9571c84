using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>The active keys of a subscription, and which consumer a key belongs to. Under the subscription's lock.</summary>
internal sealed class KeyTable(List<Consumer> consumers)
{
    private const int MaxSpare = 4096;

    private readonly Dictionary<ulong, ActiveKey> _keys = [];
    private readonly Stack<ActiveKey> _spare = new();
    private int _version;

    public IEnumerable<ActiveKey> Keys => _keys.Values;

    public ActiveKey? Find(ulong hash) => _keys.GetValueOrDefault(hash);

    public ActiveKey Open(ulong hash, bool isMessage)
    {
        if (!_keys.TryGetValue(hash, out ActiveKey? key))
        {
            key = _spare.TryPop(out ActiveKey? spare) ? spare : new ActiveKey();
            key.Hash = hash;
            key.IsMessage = isMessage;
            _keys.Add(hash, key);
        }

        return key;
    }

    /// <summary>Forgets a key of which nothing is left.</summary>
    public void Release(ActiveKey key)
    {
        if (key.IsIdle && _keys.TryGetValue(key.Hash, out ActiveKey? current) && ReferenceEquals(current, key))
        {
            _keys.Remove(key.Hash);
            Spare(key);
        }
    }

    public void Clear()
    {
        foreach (ActiveKey key in _keys.Values)
        {
            Spare(key);
        }

        _keys.Clear();
        foreach (Consumer consumer in consumers)
        {
            consumer.PendingKeys.Clear();
        }
    }

    /// <summary>A consumer came or went, or stopped or began to take records: keys may belong to others now.</summary>
    public void OnConsumersChanged() => _version++;

    /// <summary>The consumer with the highest score for the key (rendezvous hashing): when one comes or goes only its own keys move. Null without consumers.</summary>
    public Consumer? BestFor(ActiveKey key)
    {
        if (key.BestOf == _version)
        {
            return key.Best;
        }

        Consumer? best = Best(key.Hash, takesOnly: true) ?? Best(key.Hash, takesOnly: false);
        (key.Best, key.BestOf) = (best, _version);
        return best;
    }

    private Consumer? Best(ulong hash, bool takesOnly)
    {
        Consumer? best = null;
        ulong highest = 0;
        foreach (Consumer consumer in consumers)
        {
            ulong score = KeyHash.Mix(hash ^ consumer.Salt);
            if ((best is null || score > highest) && !(takesOnly && (consumer.IsStalled || consumer.IsDead)))
            {
                (best, highest) = (consumer, score);
            }
        }

        return best;
    }

    private void Spare(ActiveKey key)
    {
        key.Reset();
        if (_spare.Count < MaxSpare)
        {
            _spare.Push(key);
        }
    }
}
