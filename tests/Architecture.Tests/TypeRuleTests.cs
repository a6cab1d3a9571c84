using System.Reflection;
using System.Runtime.CompilerServices;

namespace Danube.Fast.Architecture.Tests;

/// <summary>Rules that hold for the compiled types.</summary>
public sealed class TypeRuleTests
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>Structs that are filled field by field and passed on by value or reference; classes never belong here.</summary>
    private static readonly HashSet<string> FieldStructs =
        ["ScannedFrame", "PublishFields", "DeliverFields", "LogPosition", "ProducerEntry+Recent"];

    [Fact]
    public void Public_types_have_no_mutable_public_fields()
    {
        string[] hits =
        [
            .. Types().Where(t => t.IsVisible && !t.IsEnum && !(t.IsValueType && FieldStructs.Contains(FullNameWithoutNamespace(t))))
                .SelectMany(t => t.GetFields(Declared))
                .Where(f => f is { IsPublic: true, IsInitOnly: false, IsLiteral: false })
                .Select(f => $"{f.DeclaringType!.FullName}.{f.Name}"),
        ];
        Assert.True(hits.Length == 0, string.Join(Environment.NewLine, hits));
    }

    [Fact]
    public void Nothing_public_and_static_can_be_changed()
    {
        IEnumerable<string> fields = Types().Where(t => t.IsVisible)
            .SelectMany(t => t.GetFields(Declared))
            .Where(f => f is { IsPublic: true, IsStatic: true, IsLiteral: false } && !f.IsInitOnly)
            .Select(f => $"{f.DeclaringType!.FullName}.{f.Name}");
        IEnumerable<string> properties = Types().Where(t => t.IsVisible)
            .SelectMany(t => t.GetProperties(Declared))
            .Where(p => p.SetMethod is { IsStatic: true, IsPublic: true })
            .Select(p => $"{p.DeclaringType!.FullName}.{p.Name}");
        Assert.Empty(fields.Concat(properties));
    }

    [Fact]
    public void Log_event_ids_are_unique_over_all_projects()
    {
        (int Id, string Name)[] events =
        [
            .. SourceTree.Load().SelectMany(a => a.Assembly.GetTypes().SelectMany(t => t.GetMethods(Declared))
                .SelectMany(m => m.GetCustomAttributesData()
                    .Where(d => d.AttributeType.Name == "LoggerMessageAttribute")
                    .Select(d => (EventId(d), $"{a.Project}: {m.DeclaringType!.Name}.{m.Name}")))),
        ];
        Assert.NotEmpty(events);
        Assert.Empty(events.Where(e => e.Id <= 0).Select(e => e.Name));
        Assert.Empty(events.GroupBy(e => e.Id).Where(g => g.Count() > 1).Select(g => $"{g.Key} = {string.Join(", ", g.Select(e => e.Name))}"));
    }

    [Fact]
    public void Names_say_the_role()
    {
        string[] hits =
        [
            .. Types().Where(t => !t.IsDefined(typeof(CompilerGeneratedAttribute)) && !t.Name.Contains('<'))
                .Where(t => (t.Name.EndsWith("Helper", StringComparison.Ordinal) && t.Name != "ThrowHelper") || t.Name.EndsWith("Util", StringComparison.Ordinal)
                    || t.Name.EndsWith("Utils", StringComparison.Ordinal) || t.Name.EndsWith("Manager", StringComparison.Ordinal))
                .Select(t => t.FullName!),
        ];
        Assert.Empty(hits);
    }

    private static int EventId(CustomAttributeData attribute) =>
        attribute.NamedArguments.Where(a => a.MemberName == "EventId").Select(a => (int)a.TypedValue.Value!)
            .Concat(attribute.ConstructorArguments.Where(a => a.ArgumentType == typeof(int)).Select(a => (int)a.Value!))
            .FirstOrDefault();

    private static string FullNameWithoutNamespace(Type type) => type.FullName![(type.Namespace!.Length + 1)..];

    private static IEnumerable<Type> Types() => SourceTree.Load().SelectMany(a => a.Assembly.GetTypes());
}
