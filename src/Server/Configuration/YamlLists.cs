using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Danube.Fast.Server.Configuration;

/// <summary>Values of keys that are lists, as one text: that is how they come from the environment, so the file's are made to one too.</summary>
internal static class YamlLists
{
    /// <summary>The text of a node of a larger file.</summary>
    public static string Text(YamlNode node)
    {
        if (node is YamlScalarNode scalar)
        {
            return scalar.Value ?? "";
        }

        using var text = new StringWriter();
        new YamlStream(new YamlDocument(node)).Save(text, assignAnchors: false);
        return text.ToString();
    }

    /// <exception cref="FormatException">The text is no YAML.</exception>
    public static YamlNode Parse(string text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (Exception e) when (e is YamlException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException("must be valid YAML: " + e.Message, e);
        }

        return stream.Documents.Count == 1 ? stream.Documents[0].RootNode : throw new FormatException("must be one YAML list");
    }
}
