namespace Danube.Fast.Wal.Tests;

/// <summary>Every golden directory under tests/golden/wal opens with the operating system's files and holds exactly what expected.json says, for ever.</summary>
public sealed class GoldenDirectoryTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    /// <summary>Each by a broker without a journal and by one with a journal.</summary>
    public static TheoryData<string, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int>();
            foreach (string name in GoldenFolder.Names)
            {
                cases.Add(name, 0);
                cases.Add(name, 256 * 1024);
            }

            return cases;
        }
    }

    public void Dispose() => _temp.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public Task It_opens_and_holds_what_was_written(string name, int journalBytes) =>
        new GoldenCheck(Path.Combine(GoldenFolder.Root, name), Path.Combine(_temp.Root, "data"), journalBytes).RunAsync();

    [Fact]
    public void None_has_gone_and_they_stay_small()
    {
        Assert.Equal(GoldenScenes.All.Keys.Order(StringComparer.Ordinal), GoldenFolder.Names);
        foreach (string name in GoldenFolder.Names)
        {
            string[] files = Directory.GetFiles(Path.Combine(GoldenFolder.Root, name), "*", SearchOption.AllDirectories);
            Assert.InRange(files.Sum(f => new FileInfo(f).Length), 1, 200 * 1024);
        }
    }
}
