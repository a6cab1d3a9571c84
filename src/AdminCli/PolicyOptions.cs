using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Danube.Fast.AdminCli;

/// <summary><c>--set name=value</c> and <c>--unset name</c>: changes of a policy, member by member.</summary>
internal sealed class PolicyOptions
{
    public Option<string[]> Set { get; } = new("--set")
    {
        Description = "Sets a member, for example --set retention_ms=86400000; 0 = without limit. Can be repeated.",
        HelpName = "NAME=VALUE",
        Arity = ArgumentArity.OneOrMore,
    };

    public Option<string[]> Unset { get; } = new("--unset")
    {
        Description = "Takes a member away, so that the next wider policy holds. Can be repeated.",
        HelpName = "NAME",
        Arity = ArgumentArity.OneOrMore,
    };

    public void AddTo(Command command)
    {
        command.Options.Add(Set);
        command.Options.Add(Unset);
        Set.Validators.Add(result =>
        {
            foreach (string text in result.Tokens.Select(t => t.Value).Where(t => t.IndexOf('=', StringComparison.Ordinal) < 1))
            {
                result.AddError($"--set takes NAME=VALUE, not '{text}'.");
            }
        });
    }

    public bool IsChange(ParseResult parsed) => parsed.GetValue(Set) is { Length: > 0 } || parsed.GetValue(Unset) is { Length: > 0 };

    /// <summary>The policy with the changes of the command line. What a member may be called and hold is the broker's to say.</summary>
    public JsonObject Change(ParseResult parsed, JsonElement policy)
    {
        JsonObject changed = policy.ValueKind == JsonValueKind.Object ? JsonObject.Create(policy)! : [];
        foreach (string text in parsed.GetValue(Set) ?? [])
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            changed[text[..equals]] = ValueOf(text[(equals + 1)..]);
        }

        foreach (string name in parsed.GetValue(Unset) ?? [])
        {
            changed[name] = null; // Not left out: the broker says when there is no such member.
        }

        return changed;
    }

    private static JsonValue ValueOf(string text) => text switch
    {
        "true" => JsonValue.Create(true),
        "false" => JsonValue.Create(false),
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) => JsonValue.Create(number),
        _ when decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal fraction) => JsonValue.Create(fraction),
        _ => JsonValue.Create(text),
    };
}
