using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Danube.Fast.Server.Configuration;

/// <summary>Applies a YAML file. Unknown keys, lists and repeated keys are errors that name the line.</summary>
internal static class YamlConfig
{
    public static BrokerOptions Apply(BrokerOptions options, string file)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"The configuration file '{file}' cannot be read: {e.Message}");
        }

        return ApplyText(options, text, file);
    }

    public static BrokerOptions ApplyText(BrokerOptions options, string text, string file)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new ConfigException($"{file}:{e.Start.Line}: not valid YAML: {e.Message}");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException)
        {
            // The parser does not wrap all of its errors.
            throw new ConfigException($"{file}: not valid YAML: {e.Message}");
        }

        if (stream.Documents.Count == 0)
        {
            return options;
        }

        if (stream.Documents.Count > 1)
        {
            throw new ConfigException($"{file}: holds {stream.Documents.Count} YAML documents, one is allowed.");
        }

        return Walk(options, stream.Documents[0].RootNode, "", file);
    }

    private static BrokerOptions Walk(BrokerOptions options, YamlNode node, string prefix, string file)
    {
        if (node is not YamlMappingNode mapping)
        {
            // A file or a section of comments only is a null scalar.
            return node is YamlScalarNode { Value: null or "" or "~" or "null" }
                ? options
                : throw new ConfigException($"{At(file, node)}: {(prefix.Length == 0 ? "the file" : $"'{prefix.TrimEnd('.')}'")} must hold 'key: value' lines.");
        }

        foreach ((YamlNode keyNode, YamlNode value) in mapping.Children)
        {
            string path = prefix + (keyNode as YamlScalarNode)?.Value;
            ConfigKey? key = ConfigSchema.Find(path);
            if (key is not null)
            {
                options = ApplyScalar(options, key, value, file);
            }
            else if (ConfigSchema.Keys.Any(k => k.Path.StartsWith(path + ".", StringComparison.Ordinal)))
            {
                options = Walk(options, value, path + ".", file);
            }
            else
            {
                throw new ConfigException($"{At(file, keyNode)}: unknown key '{path}'. Did you mean '{ConfigSchema.Nearest(path)}'?");
            }
        }

        return options;
    }

    private static BrokerOptions ApplyScalar(BrokerOptions options, ConfigKey key, YamlNode value, string file)
    {
        if (key.IsList)
        {
            return ApplyList(options, key, value, file);
        }

        if (value is not YamlScalarNode scalar)
        {
            throw new ConfigException($"{At(file, value)}: '{key.Path}' takes a single value.");
        }

        try
        {
            return key.Apply(options, scalar.Value ?? "");
        }
        catch (FormatException e)
        {
            throw new ConfigException($"{At(file, value)}: '{key.Path}' is '{scalar.Value}', but it {e.Message}.");
        }
    }

    private static BrokerOptions ApplyList(BrokerOptions options, ConfigKey key, YamlNode value, string file)
    {
        try
        {
            return key.Apply(options, YamlLists.Text(value));
        }
        catch (FormatException e)
        {
            throw new ConfigException($"{At(file, value)}: '{key.Path}' {e.Message}.");
        }
    }

    private static string At(string file, YamlNode node) => $"{file}:{node.Start.Line}";
}
