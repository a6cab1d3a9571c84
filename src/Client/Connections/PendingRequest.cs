namespace Danube.Fast.Client;

/// <summary>A request that waits for its answer.</summary>
internal sealed class PendingRequest(string command, string correlationId, Action<ReadOnlyMemory<byte>>? onReply)
{
    private readonly TaskCompletionSource<ReadOnlyMemory<byte>> _reply = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Command { get; } = command;
    public string CorrelationId { get; } = correlationId;

    /// <summary>The client that was asked; null for the broker.</summary>
    public string? Target { get; init; }

    public Task<ReadOnlyMemory<byte>> Reply => _reply.Task;

    /// <summary>Completes the request. <c>onReply</c> runs here, on the receiving thread, before the next frame is looked at.</summary>
    public void Complete(ReadOnlyMemory<byte> payload)
    {
        try
        {
            onReply?.Invoke(payload);
            _reply.TrySetResult(payload);
        }
        catch (System.Text.Json.JsonException e)
        {
            _reply.TrySetException(new DanubeException(Protocol.ErrorCode.BadPayload, $"The broker's answer to {Command} cannot be read: {e.Message}", e) { CorrelationId = CorrelationId });
        }
    }

    public void Fail(DanubeException cause) => _reply.TrySetException(cause);
}
