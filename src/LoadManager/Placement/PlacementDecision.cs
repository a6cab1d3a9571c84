using System.Globalization;
using System.Text;

namespace Danube.Fast.LoadManager;

/// <summary>A broker as placement saw it.</summary>
/// <param name="Id">The broker.</param>
/// <param name="Score">Measured and pending load without the number of topics; lower is better.</param>
/// <param name="AssignedTopics">Topics that it has by the assignments.</param>
/// <param name="TopicsPerCore">What decided among equal scores.</param>
/// <param name="Missing">Factors for which the cluster's mean was taken, by name.</param>
public sealed record PlacementCandidate(long Id, double Score, int AssignedTopics, double TopicsPerCore, IReadOnlyList<string> Missing);

/// <summary>Where a topic was placed, and every step on the way.</summary>
public sealed record PlacementDecision
{
    /// <summary>Candidates that a decision keeps, the best first.</summary>
    public const int MaxCandidates = 20;

    /// <summary>Full topic name.</summary>
    public required string Topic { get; init; }

    /// <summary>The broker, or null when no broker is active and fresh.</summary>
    public long? Broker { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>What is expected to come with the topic.</summary>
    public ExpectedLoad Expected { get; init; }

    /// <summary>One sentence per step.</summary>
    public required IReadOnlyList<string> Steps { get; init; }

    /// <summary>The candidates that were left at the end, at most <see cref="MaxCandidates"/>.</summary>
    public required IReadOnlyList<PlacementCandidate> Candidates { get; init; }

    /// <summary>All of it as text for people.</summary>
    public string Explain()
    {
        var text = new StringBuilder();
        text.Append(Topic).Append(": ").AppendLine(Broker is { } id ? string.Create(CultureInfo.InvariantCulture, $"broker {id}") : "no broker");
        foreach (string step in Steps)
        {
            text.Append("  - ").AppendLine(step);
        }

        foreach (PlacementCandidate candidate in Candidates)
        {
            text.Append(CultureInfo.InvariantCulture, $"  broker {candidate.Id}: score {candidate.Score:0.0000}, {candidate.AssignedTopics} topics, {candidate.TopicsPerCore:0.##} per core");
            text.AppendLine(candidate.Missing.Count == 0 ? "" : $", no reading of {string.Join(", ", candidate.Missing)}: the cluster's mean");
        }

        return text.ToString();
    }
}
