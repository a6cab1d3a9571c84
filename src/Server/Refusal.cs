using Danube.Fast.Protocol;

namespace Danube.Fast.Server;

/// <summary>Why a request was not done: a code and a sentence that says what to do.</summary>
/// <param name="Code">The code.</param>
/// <param name="Message">The sentence.</param>
/// <param name="Redirect">Where to go, or when to come again; in a cluster only.</param>
internal sealed record Refusal(ErrorCode Code, string Message, RedirectPayload? Redirect = null);

/// <summary>Either what was asked for or why not. What peers can provoke is answered with this, not thrown.</summary>
internal readonly struct Answer<T>
{
    private Answer(T? value, Refusal? refusal)
    {
        Value = value;
        Refusal = refusal;
    }

    /// <summary>Set when <see cref="Refusal"/> is null.</summary>
    public T? Value { get; }
    public Refusal? Refusal { get; }

    public static implicit operator Answer<T>(T value) => new(value, null);

    public static implicit operator Answer<T>(Refusal refusal) => new(default, refusal);

    public bool TryGet([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? value, [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out Refusal? refusal)
    {
        value = Value;
        refusal = Refusal;
        return refusal is null;
    }
}
