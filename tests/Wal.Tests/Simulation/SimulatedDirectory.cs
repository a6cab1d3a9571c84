namespace Danube.Fast.Wal.Tests;

/// <summary>A directory in the simulation: entries as the running system sees them, those that are surely on disk, and the operations in between.</summary>
internal sealed class SimulatedDirectory
{
    private readonly List<Operation> _pending = [];
    private Dictionary<string, object> _durable = [];

    private sealed record Operation(string? Removed, string? Added, object Node);

    public Dictionary<string, object> Entries { get; } = [];

    public void Add(string name, object node)
    {
        Entries[name] = node;
        _pending.Add(new Operation(null, name, node));
    }

    public void Remove(string name)
    {
        if (Entries.Remove(name, out object? node))
        {
            _pending.Add(new Operation(name, null, node));
        }
    }

    public void Rename(string from, string to)
    {
        object node = Entries[from];
        Entries.Remove(from);
        Entries[to] = node;
        _pending.Add(new Operation(from, to, node));
    }

    public void Sync()
    {
        _durable = new Dictionary<string, object>(Entries);
        _pending.Clear();
    }

    /// <summary>All files and directories below but <paramref name="mounted"/>, and this one.</summary>
    public void SyncTree(object? mounted)
    {
        foreach (object node in Entries.Values)
        {
            if (node is SimulatedFile file)
            {
                file.Sync();
            }
            else if (node != mounted)
            {
                ((SimulatedDirectory)node).SyncTree(mounted);
            }
        }

        Sync();
    }

    /// <summary>Durable entries plus those of the operations since that the cut keeps, each of them atomic.</summary>
    public SimulatedDirectory CrashCopy(PowerCut cut, Dictionary<object, object> copies)
    {
        var entries = new Dictionary<string, object>(_durable);
        foreach (Operation operation in _pending)
        {
            if (!cut.Keeps())
            {
                continue;
            }

            if (operation.Removed is { } removed && entries.TryGetValue(removed, out object? there) && there == operation.Node)
            {
                entries.Remove(removed);
            }

            if (operation.Added is { } added)
            {
                entries[added] = operation.Node;
            }
        }

        return CopyOf(entries, copies, node => node is SimulatedFile file ? file.CrashCopy(cut) : ((SimulatedDirectory)node).CrashCopy(cut, copies));
    }

    public SimulatedDirectory CopyAsSynced() =>
        CopyOf(Entries, [], node => node is SimulatedFile file ? file.CopyAsSynced() : ((SimulatedDirectory)node).CopyAsSynced());

    private static SimulatedDirectory CopyOf(Dictionary<string, object> entries, Dictionary<object, object> copies, Func<object, object> copy)
    {
        var result = new SimulatedDirectory();
        foreach ((string name, object node) in entries.OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            if (!copies.TryGetValue(node, out object? copied))
            {
                copies[node] = copied = copy(node);
            }

            result.Entries[name] = copied;
        }

        result.Sync();
        return result;
    }
}
