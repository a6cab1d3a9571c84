using Microsoft.AspNetCore.Http;

namespace Danube.Fast.Server.Http;

/// <summary>What tells one HTTP request from another, in its answer and in the log: the caller's own <c>X-Request-Id</c>, else one of the server.</summary>
internal static class RequestIds
{
    public const string Header = "X-Request-Id";

    private const int MaxLength = 64;

    public static string Of(HttpContext context) =>
        context.Request.Headers.TryGetValue(Header, out var given) && given is [{ Length: > 0 and <= MaxLength } id] && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':')
            ? id
            : context.TraceIdentifier;
}
