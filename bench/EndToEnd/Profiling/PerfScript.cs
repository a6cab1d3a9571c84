using System.Text.RegularExpressions;

namespace Danube.Fast.Bench.Profiling;

/// <summary>One sample.</summary>
/// <param name="Thread">Name of the thread.</param>
/// <param name="Frames">Names from the innermost outwards.</param>
public sealed record ProfileSample(string Thread, IReadOnlyList<string> Frames);

/// <summary>
/// Reads the text of <c>perf script -F comm,tid,ip,sym,dso</c>: per sample a line with thread name and number, then one indented line per frame, then an empty line.
/// </summary>
public sealed partial class PerfScript(Action<ProfileSample> onSample)
{
    private const string Kernel = "kernel: ", Native = "native: ";

    private readonly List<string> _frames = [];
    private string? _thread;

    /// <summary>Takes one line.</summary>
    public void Read(string line)
    {
        if (line.Length == 0)
        {
            End();
        }
        else if (char.IsWhiteSpace(line[0]) && _thread is not null && FrameLine().Match(line) is { Success: true } frame)
        {
            _frames.Add(NameOf(frame.Groups["symbol"].Value, frame.Groups["file"].Value));
        }
        else if (Header().Match(line) is { Success: true } header)
        {
            End();
            _thread = header.Groups["thread"].Value;
        }
    }

    /// <summary>Gives the last sample out.</summary>
    public void End()
    {
        if (_thread is not null && _frames.Count > 0)
        {
            onSample(new ProfileSample(_thread, [.. _frames]));
        }

        _thread = null;
        _frames.Clear();
    }

    /// <summary>
    /// A name that people know: <c>Danube.Fast.Core.Topic.Publish</c> for managed code, <c>kernel: </c> or <c>native: </c> with the symbol otherwise.
    /// </summary>
    public static string NameOf(string symbol, string file)
    {
        if (Managed().Match(symbol) is { Success: true } managed)
        {
            return $"{managed.Groups["type"].Value}.{managed.Groups["method"].Value}";
        }

        if (symbol.StartsWith("[unknown]", StringComparison.Ordinal))
        {
            return $"[{Path.GetFileName(file)}]";
        }

        return (file.Contains("[kernel", StringComparison.Ordinal) || file.EndsWith(".ko", StringComparison.Ordinal) ? Kernel : Native) + symbol;
    }

    [GeneratedRegex(@"^\s*(?<thread>\S.*?)\s+\d+(/\d+)?\s*:?\s*$")]
    private static partial Regex Header();

    [GeneratedRegex(@"^\s+[0-9a-f]+\s+(?<symbol>.*?)\s+\((?<file>[^()]*)\)\s*$")]
    private static partial Regex FrameLine();

    // Of a perf map: void [Danube.Fast.Core] Danube.Fast.Core.Topic::Publish(int32,...)[OptimizedTier1]
    [GeneratedRegex(@"\[[^\]]+\]\s+(?<type>[^\s(]+)::(?<method>[^\s(]+)\(")]
    private static partial Regex Managed();
}
