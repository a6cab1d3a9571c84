namespace Danube.Fast.LoadTests.Engine;

/// <summary>Outcome of a step or of a whole iteration.</summary>
public readonly record struct Response(bool IsOk, int SizeBytes, string? Error)
{
    /// <param name="sizeBytes">Counted into the transferred bytes of the step.</param>
    public static Response Ok(int sizeBytes = 0) => new(true, sizeBytes, null);

    /// <param name="error">Grouped by text in the report: keep numbers out of it.</param>
    public static Response Fail(string error) => new(false, 0, error);
}
