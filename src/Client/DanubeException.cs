using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Every failure that the broker or the connection to it reports: a code, a sentence that says what to do, and what it belongs to.</summary>
public sealed class DanubeException : Exception
{
    /// <summary>Creates an error with the retry rule of its code.</summary>
    /// <param name="code">What happened.</param>
    /// <param name="message">A sentence for people.</param>
    /// <param name="inner">The cause on this side, if any.</param>
    public DanubeException(ErrorCode code, string message, Exception? inner = null)
        : base(message, inner)
    {
        Code = code;
        Retryable = ErrorCodes.IsRetryable(code);
    }

    /// <summary>What happened.</summary>
    public ErrorCode Code { get; }

    /// <summary>True when the same call can succeed later without being changed.</summary>
    public bool Retryable { get; internal init; }

    /// <summary>The request on the connection that failed; null when no request waited for an answer.</summary>
    public string? CorrelationId { get; internal init; }

    /// <summary>First sequence of the publish frame that was refused; null for other errors.</summary>
    public ulong? Sequence { get; internal init; }

    /// <summary>Where the topic is served; null when the broker did not say.</summary>
    internal RedirectPayload? Redirect { get; init; }

    internal static DanubeException FromBroker(ErrorPayload error, string? correlationId)
    {
        string code = error.Code.Length > 0 ? error.Code : ErrorCodes.Name(ErrorCode.Internal);
        return new DanubeException(ErrorCodes.Parse(code), $"{code}: {(error.Message.Length > 0 ? error.Message : error.Error)}")
        {
            Retryable = error.Retryable,
            CorrelationId = correlationId,
            Sequence = error.Sequence,
            Redirect = error.Redirect,
        };
    }

    /// <summary>The error that another client has answered with. It may have no code, or one that says nothing.</summary>
    internal static DanubeException FromPeer(string peer, ErrorPayload error, string? correlationId)
    {
        string text = error.Message.Length > 0 ? error.Message : error.Error;
        string code = error.Code is "" || error.Code == ErrorCodes.Name(ErrorCode.Internal) ? "" : error.Code + ": ";
        return new DanubeException(code.Length > 0 ? ErrorCodes.Parse(error.Code) : ErrorCode.Internal, $"Client '{peer}' answers with an error: {code}{text}")
        {
            Retryable = error.Retryable,
            CorrelationId = correlationId,
        };
    }

    /// <summary>A copy to throw: one exception object must not be thrown on two threads.</summary>
    internal DanubeException Copy() =>
        new(Code, Message, this) { Retryable = Retryable, CorrelationId = CorrelationId, Sequence = Sequence, Redirect = Redirect };
}
