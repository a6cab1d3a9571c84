namespace Danube.Fast.Server.Cluster;

/// <summary>The owner's side of all topics of this broker, as <see cref="ClusterNode"/> runs it.</summary>
internal interface IOwnerLoop
{
    /// <summary>A new session has begun: everything that was served under an older one is to be opened again, under a new epoch. Must be quick.</summary>
    void OnSession(long session);

    /// <summary>This broker shuts down: nothing is opened any more, and what lives in its memory only is given up.</summary>
    void GiveUp();

    /// <summary>Something of that is still to be given up.</summary>
    bool HasToGiveUp { get; }

    /// <summary>Follows the assignments until the token ends it.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
