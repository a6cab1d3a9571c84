using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions.Lines;

/// <summary>A producer or consumer of a JSON-lines session as the engine sees it: takes the engine's frames, gives lines.</summary>
internal abstract class LineChannel(Session session) : IFrameSink
{
    protected Session Session { get; } = session;

    /// <inheritdoc/>
    public abstract bool Send(ReadOnlySpan<byte> frames);

    /// <inheritdoc/>
    public abstract bool Send(ReadOnlySpan<byte> prefix, LogRun run);

    /// <inheritdoc/>
    public virtual void Flush() => Session.Flush();

    /// <inheritdoc/>
    public void SendError(ErrorCode code, string message, uint channel, ulong? sequence) => Session.SendError(code, message, channel, sequence);

    /// <inheritdoc/>
    public void CloseChannel(uint channel, ErrorCode code, string message) => Session.CloseChannel(channel, code, message);

    /// <inheritdoc/>
    public virtual void OnEpochRaised()
    {
    }

    /// <summary>The channel is gone: nothing more is written for it. Idempotent.</summary>
    public abstract void OnClosed(ErrorCode code, string message);
}
