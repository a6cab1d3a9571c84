namespace Danube.Fast.Server.Telemetry;

/// <summary>The value of <c>otlp.headers</c>: <c>name=value</c>, more of them behind commas. It may hold a password, so no message repeats it.</summary>
internal static class OtlpHeaders
{
    /// <summary>True for an empty value, or when every part has a name of letters, digits and <c>-_.</c>, an equals sign and a value.</summary>
    public static bool AreGood(string headers) => headers.Length == 0 || headers.Split(',').All(IsGood);

    private static bool IsGood(string header)
    {
        int at = header.IndexOf('=', StringComparison.Ordinal);
        return at > 0 && at < header.Length - 1
            && header.AsSpan(0, at).Trim().IndexOfAnyExcept("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") < 0
            && header.AsSpan(at + 1).IndexOfAnyInRange('\0', '\u001f') < 0;
    }
}
