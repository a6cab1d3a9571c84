namespace Danube.Fast.Server.Transport;

/// <summary>Why a send queue stopped.</summary>
internal enum SendFailure
{
    /// <summary>The connection was closed on our side.</summary>
    Closed,

    /// <summary>The peer or the network ended the connection.</summary>
    Lost,

    /// <summary>More small frames were queued than the limit allows.</summary>
    TooMuchQueued,

    /// <summary>A send made no progress for too long.</summary>
    NoProgress,
}
