namespace Danube.Fast.Metadata;

/// <summary>How often a <see cref="MetadataView"/> looks whether it has missed something.</summary>
public sealed record MetadataViewOptions
{
    /// <summary>Time between two comparisons with the store, each made longer or shorter by up to a tenth at random.</summary>
    public TimeSpan ReconcileInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A watch without a change for this long is replaced by a new one.</summary>
    public TimeSpan WatchIdleLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long <see cref="MetadataView.WaitForRevisionAsync"/> waits for the watch before it compares with the store.</summary>
    public TimeSpan CatchUpDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Measures the times above.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
