using System.Globalization;
using Danube.Fast.LoadManager;
using YamlDotNet.RepresentationModel;

namespace Danube.Fast.Server.Configuration;

/// <summary>Reads <c>load_manager.placement_rules.affinity_groups</c>, written as YAML.</summary>
internal static class AffinityGroupList
{
    private const string Form = "must be a list like [{name: analytics, topics: [\"/analytics/*\"], prefer_brokers: [1, 2], avoid_brokers: [3]}]";

    /// <exception cref="FormatException">What is wrong, with the place in the list.</exception>
    public static IReadOnlyList<AffinityGroup> Parse(string text)
    {
        if (text.Trim() is "" or "[]")
        {
            return [];
        }

        YamlSequenceNode list = YamlLists.Parse(text) as YamlSequenceNode ?? throw new FormatException(Form);
        return list.Children.Select(Group).ToArray();
    }

    private static AffinityGroup Group(YamlNode node, int index)
    {
        if (node is not YamlMappingNode mapping)
        {
            throw new FormatException($"[{index}]: {Form}");
        }

        var group = new AffinityGroup();
        foreach ((YamlNode key, YamlNode value) in mapping.Children)
        {
            group = (key as YamlScalarNode)?.Value switch
            {
                "name" => group with { Name = (value as YamlScalarNode)?.Value ?? "" },
                "topics" => group with { Topics = Texts(value, index) },
                "prefer_brokers" => group with { PreferBrokers = Ids(value, index) },
                "avoid_brokers" => group with { AvoidBrokers = Ids(value, index) },
                _ => throw new FormatException($"[{index}] has the unknown key '{key}': name, topics, prefer_brokers and avoid_brokers are known"),
            };
        }

        return group;
    }

    private static string[] Texts(YamlNode node, int index) => node is YamlSequenceNode list && list.Children.All(c => c is YamlScalarNode)
        ? [.. list.Children.Select(c => ((YamlScalarNode)c).Value ?? "")]
        : throw new FormatException($"[{index}]: {Form}");

    private static long[] Ids(YamlNode node, int index) =>
    [
        .. Texts(node, index).Select(t => long.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out long id)
            ? id
            : throw new FormatException($"[{index}] names the broker '{t}': brokers are named by their ids, whole numbers from 1")),
    ];
}
