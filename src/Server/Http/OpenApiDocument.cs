namespace Danube.Fast.Server.Http;

/// <summary>The description of the HTTP port in OpenAPI 3: the file openapi.json, as it is.</summary>
internal static class OpenApiDocument
{
    public const string Path = "/admin/v1/openapi.json";

    /// <summary>The document.</summary>
    public static byte[] Json { get; } = Read();

    private static byte[] Read()
    {
        using Stream stream = typeof(OpenApiDocument).Assembly.GetManifestResourceStream("openapi.json") ?? throw new InvalidOperationException("openapi.json is missing from the program.");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
