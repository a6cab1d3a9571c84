namespace Danube.Fast.LoadManager;

/// <summary>What an operator wants of a broker.</summary>
public enum BrokerMode
{
    Active = 0,

    /// <summary>Gives up what it can; gets nothing new.</summary>
    Draining = 1,

    /// <summary>Empty; gets nothing new.</summary>
    Drained = 2,
}
