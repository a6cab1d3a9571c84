using DotNet.Globbing;

namespace Danube.Fast.LoadManager;

/// <summary>The affinity groups with their globs taken apart once.</summary>
internal sealed class Affinity
{
    private readonly (AffinityGroup Group, Glob[] Globs)[] _groups;

    public Affinity(IReadOnlyList<AffinityGroup> groups) => _groups = [.. groups.Select(g => (g, g.Topics.Select(t => Glob.Parse(t)).ToArray()))];

    /// <summary>The groups that a topic belongs to, in the order of the file.</summary>
    public IReadOnlyList<AffinityGroup> Of(string topic) =>
        [.. _groups.Where(g => Array.Exists(g.Globs, glob => glob.IsMatch(topic))).Select(g => g.Group)];
}
