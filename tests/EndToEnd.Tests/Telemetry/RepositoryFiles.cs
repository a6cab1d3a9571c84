namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>Files of the source tree that the tests run in.</summary>
internal static class RepositoryFiles
{
    private static readonly string Root = Find();

    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, .. parts]);

    private static string Find()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(System.IO.Path.Combine(directory, "Danube.Fast.sln")))
        {
            directory = System.IO.Path.GetDirectoryName(directory);
        }

        return directory ?? throw new InvalidOperationException("The tests must run inside the source tree.");
    }
}
