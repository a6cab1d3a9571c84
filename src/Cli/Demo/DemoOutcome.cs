namespace Danube.Fast.Cli.Demo;

/// <summary>What a demo prints, line by line, and what it found wrong.</summary>
internal sealed class DemoOutcome(TextWriter output, TextWriter error)
{
    private readonly List<string> _problems = [];

    public void Say(string line)
    {
        output.WriteLine(line);
        output.Flush();
    }

    /// <summary>Notes a problem unless <paramref name="good"/>.</summary>
    public void Verify(bool good, string problem)
    {
        if (!good)
        {
            _problems.Add(problem);
        }
    }

    /// <summary>True when something was wrong; it is printed then.</summary>
    public async Task<bool> HasFailedAsync()
    {
        if (_problems.Count == 0)
        {
            return false;
        }

        await error.WriteLineAsync("danube-cli: the demo FAILED: " + string.Join("; ", _problems) + ".");
        return true;
    }
}
