using System.Text;
using Danube.Fast.Bench.Reports;

namespace Danube.Fast.Bench.Profiling;

/// <summary>Adds samples up: where the processor was (self), and below which methods (inclusive, once per stack however often a method is in it).</summary>
public sealed class ProfileSummary(string target)
{
    private const int LongestName = 110;

    private readonly Dictionary<string, long> _self = [];
    private readonly Dictionary<string, long> _inclusive = [];
    private readonly Dictionary<string, long> _threads = [];
    private readonly Dictionary<string, long> _folded = [];

    /// <summary>Samples in all.</summary>
    public long Count { get; private set; }

    public void Add(ProfileSample sample)
    {
        Count++;
        Increment(_threads, sample.Thread);
        Increment(_self, sample.Frames[0]);
        foreach (string frame in sample.Frames.Distinct())
        {
            Increment(_inclusive, frame);
        }

        Increment(_folded, string.Join(';', sample.Frames.Append(sample.Thread).Reverse().Select(f => f.Replace(';', ':'))));
    }

    /// <summary>Samples of a method itself.</summary>
    public long SelfOf(string name) => _self.GetValueOrDefault(name);

    /// <summary>Samples of a method and what it called.</summary>
    public long InclusiveOf(string name) => _inclusive.GetValueOrDefault(name);

    /// <summary>One line per different stack, outermost first, with its count.</summary>
    public IEnumerable<string> Folded() => _folded.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key} {s.Value}");

    /// <summary>The largest entries as tables.</summary>
    public string ToText(int rows)
    {
        var text = new StringBuilder();
        text.AppendLine($"Profile of the {target}: {Count:N0} samples of processor time. 'self' is the method alone, 'inclusive' with everything it called.");
        Table("thread", _threads, rows);
        Table("self", _self, rows);
        Table("inclusive, code of this project", _inclusive.Where(f => f.Key.StartsWith("Danube.", StringComparison.Ordinal)), rows);
        Table("inclusive, kernel and runtime", _inclusive.Where(f => !f.Key.StartsWith("Danube.", StringComparison.Ordinal)), rows);
        return text.ToString().TrimEnd();

        void Table(string title, IEnumerable<KeyValuePair<string, long>> entries, int most)
        {
            var table = new TextTable(title, "share", "samples");
            foreach ((string name, long count) in entries.OrderByDescending(e => e.Value).ThenBy(e => e.Key, StringComparer.Ordinal).Take(most))
            {
                table.Add(name.Length > LongestName ? name[..LongestName] + "..." : name, Figures.Text(100.0 * count / Math.Max(1, Count), "0.0") + " %", count.ToString("N0"));
            }

            text.AppendLine().AppendLine(table.ToString());
        }
    }

    private static void Increment(Dictionary<string, long> counts, string name) => counts[name] = counts.GetValueOrDefault(name) + 1;
}
