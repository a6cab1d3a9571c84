using System.Reflection;
using System.Xml.Linq;

namespace Danube.Fast.Architecture.Tests;

/// <summary>What users of the client see of the protocol is documented; the compiler looks after the client's own members.</summary>
public sealed class ClientSurfaceTests
{
    private const BindingFlags Members = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Fact]
    public void Protocol_types_in_the_clients_signatures_are_documented()
    {
        Assembly protocol = SourceTree.Load().Single(a => a.Project == "Protocol").Assembly;
        Type[] seen = [.. Shown(SourceTree.Load().Single(a => a.Project == "Client").Assembly, protocol)];
        Assert.Contains(seen, t => t.Name == "ErrorCode");
        HashSet<string> documented =
        [
            .. XDocument.Load(Path.Combine(AppContext.BaseDirectory, "Danube.Fast.Protocol.xml"))
                .Descendants("member").Select(m => m.Attribute("name")!.Value[2..].Split('(')[0]),
        ];
        string[] missing =
        [
            .. seen.SelectMany(t => Names(t).Prepend(t.FullName!)).Where(name => !documented.Contains(name)),
        ];
        Assert.True(missing.Length == 0, string.Join(Environment.NewLine, missing));
    }

    /// <summary>Types of <paramref name="protocol"/> that public members of <paramref name="client"/> take or return, and those that these show in turn.</summary>
    private static HashSet<Type> Shown(Assembly client, Assembly protocol)
    {
        var shown = new HashSet<Type>();
        var open = new Queue<Type>(client.GetExportedTypes());
        while (open.TryDequeue(out Type? type))
        {
            IEnumerable<Type> used = type.GetMethods(Members).SelectMany(m => m.GetParameters().Select(p => p.ParameterType).Append(m.ReturnType))
                .Concat(type.GetConstructors(Members).SelectMany(c => c.GetParameters().Select(p => p.ParameterType)))
                .Concat(type.GetProperties(Members).Select(p => p.PropertyType))
                .SelectMany(Parts);
            foreach (Type part in used.Where(t => t.Assembly == protocol && shown.Add(t)))
            {
                open.Enqueue(part);
            }
        }

        return shown;
    }

    private static IEnumerable<Type> Parts(Type type)
    {
        Type element = type.HasElementType ? type.GetElementType()! : type;
        return element.IsGenericType ? element.GetGenericArguments().SelectMany(Parts) : [element];
    }

    private static IEnumerable<string> Names(Type type) =>
        type.GetProperties(Members).Where(p => p.Name != "EqualityContract").Select(p => p.Name)
            .Concat(type.GetFields(Members).Where(f => !f.IsSpecialName).Select(f => f.Name))
            .Select(name => $"{type.FullName}.{name}");
}
