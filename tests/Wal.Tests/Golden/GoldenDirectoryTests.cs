namespace Danube.Fast.Wal.Tests;

/// <summary>Every golden directory under tests/golden/wal opens with the operating system's files and holds exactly what expected.json says, for ever.</summary>
public sealed class GoldenDirectoryTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    public static TheoryData<string> Names => [.. GoldenFolder.Names];

    public void Dispose() => _temp.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public Task It_opens_and_holds_what_was_written(string name) =>
        new GoldenCheck(Path.Combine(GoldenFolder.Root, name), Path.Combine(_temp.Root, "data")).RunAsync();

    [Fact]
    public void None_has_gone_and_they_stay_small()
    {
        Assert.Equal(GoldenScenes.All.Keys.Order(StringComparer.Ordinal).Select(n => "v1/" + n), GoldenFolder.Names.Where(n => n.StartsWith("v1/", StringComparison.Ordinal)));
        foreach (string name in GoldenFolder.Names)
        {
            string[] files = Directory.GetFiles(Path.Combine(GoldenFolder.Root, name), "*", SearchOption.AllDirectories);
            Assert.InRange(files.Sum(f => new FileInfo(f).Length), 1, 200 * 1024);
        }
    }
}
