namespace Danube.Fast.Server.Tests;

/// <summary>Tests that measure the process run while no other test does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
