using System.Globalization;
using System.Net.Http.Headers;

namespace Danube.Fast.Metadata.Etcd;

/// <summary>Status codes of gRPC that are told apart here; the others are only passed on.</summary>
internal enum GrpcCode
{
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    OutOfRange = 11,
    Unimplemented = 12,
    Unavailable = 14,
    Unauthenticated = 16,
}

/// <summary>How a call ended, from the trailers, or from the headers of an answer that has nothing else.</summary>
internal readonly record struct GrpcStatus(GrpcCode Code, string Message)
{
    /// <summary>Null when there is no status among the headers.</summary>
    public static GrpcStatus? From(HttpHeaders headers)
    {
        if (!headers.TryGetValues("grpc-status", out IEnumerable<string>? values)
            || !int.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out int code))
        {
            return null;
        }

        string message = headers.TryGetValues("grpc-message", out IEnumerable<string>? texts) ? Uri.UnescapeDataString(texts.First()) : "";
        return new GrpcStatus((GrpcCode)code, message);
    }
}

/// <summary>A call that did not end with an answer.</summary>
/// <param name="code">What the server said, or what comes closest to what happened.</param>
/// <param name="message">For people.</param>
/// <param name="wasSent">False: the request certainly did not reach a server.</param>
/// <param name="inner">What the transport said.</param>
internal sealed class GrpcException(GrpcCode code, string message, bool wasSent = true, Exception? inner = null)
    : Exception(message, inner)
{
    public GrpcCode Code { get; } = code;

    public bool WasSent { get; } = wasSent;

    /// <summary>Another attempt may succeed: the server could not, or did not answer.</summary>
    public bool MayPass => Code is GrpcCode.Unavailable or GrpcCode.DeadlineExceeded or GrpcCode.Cancelled or GrpcCode.Unknown;

    /// <summary>The server wants the user to log in (again); the request was not made.</summary>
    public bool WantsLogin => Code == GrpcCode.Unauthenticated || Message.Contains("revision of auth store is old", StringComparison.Ordinal);

    /// <summary>The server looked at the request and certainly did not make it.</summary>
    public bool WasRefused => Code is GrpcCode.InvalidArgument or GrpcCode.NotFound or GrpcCode.PermissionDenied
        or GrpcCode.ResourceExhausted or GrpcCode.FailedPrecondition or GrpcCode.OutOfRange or GrpcCode.Unimplemented
        or GrpcCode.Unauthenticated;
}
