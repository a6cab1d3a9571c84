namespace Danube.Fast.Wal.Tests;

/// <summary>
/// Makes the golden directories. Written into a temporary folder and opened there in every run, so that the generator keeps working; with
/// DANUBE_GOLDEN=FOLDER they are also written into FOLDER, which is how a new format version gets its directories (docs/testing.md).
/// </summary>
public sealed class GoldenGeneratorTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    public static TheoryData<string> Names => [.. GoldenScenes.All.Keys];

    public void Dispose() => _temp.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task What_the_generator_writes_opens(string name)
    {
        (string story, Action<GoldenScene> play) = GoldenScenes.All[name];
        var scene = new GoldenScene(GoldenScenes.JournalBytesOf(name));
        play(scene);
        string target = Path.Combine(_temp.Root, name);
        scene.Write(story, target);
        if (Environment.GetEnvironmentVariable("DANUBE_GOLDEN") is { Length: > 0 } folder)
        {
            scene.Write(story, Path.Combine(folder, name));
        }

        await new GoldenCheck(target, Path.Combine(_temp.Root, "data"), GoldenScenes.JournalBytesOf(name)).RunAsync();
    }
}
