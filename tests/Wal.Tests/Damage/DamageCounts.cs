namespace Danube.Fast.Wal.Tests;

/// <summary>What a matrix has tried, by outcome.</summary>
internal sealed class DamageCounts(string name)
{
    private long _cases, _untouched, _prefix, _damaged, _unprovable, _refused;

    public long Cases => _cases;

    public long Damaged => _damaged;

    public long Prefix => _prefix;

    public void Add(ExpectedLog[] expected)
    {
        _cases++;
        if (expected.Any(e => e.Damages.Count > 0))
        {
            _damaged++;
        }
        else if (expected.Any(e => e.IsShortened))
        {
            _prefix++;
        }
        else
        {
            _untouched++;
        }

        _unprovable += expected.Any(e => e.Unprovable > 0) ? 1 : 0;
    }

    /// <summary>The open refused, as it must.</summary>
    public void AddRefused()
    {
        _cases++;
        _refused++;
    }

    public void Report() => LongMode.Report(
        name,
        $"{_cases} cases: {_untouched} nothing lost, {_prefix} prefix kept, {_damaged} damage reported, {_refused} refused"
        + (_unprovable > 0 ? $"; in {_unprovable} of them nothing on the disk proved the last acknowledgement" : ""));
}
