namespace Danube.Fast.Wal.Tests;

/// <summary>Names the case of a matrix that failed.</summary>
internal static class Case
{
    public static void Named(string name, Action run)
    {
        try
        {
            run();
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"{name}: {error.Message}", error);
        }
    }
}
