using System.Text;

namespace Danube.Fast.Metadata.Tests;

/// <summary>Metadata files that earlier versions wrote must open for ever.</summary>
public sealed class GoldenMetadataTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("danube-golden-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_file_of_format_1_opens_with_everything_in_it()
    {
        File.Copy(Path.Combine(Root(), "v1", EmbeddedMetadataStore.FileName), Path.Combine(_directory, EmbeddedMetadataStore.FileName));
        string[] expected = await File.ReadAllLinesAsync(Path.Combine(Root(), "v1", "expected.txt"));
        long revision;
        await using (EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(_directory))
        {
            Assert.Equal(0, store.DamagedBytes);
            MetadataListing listing = await store.ListAsync("");
            Assert.Equal(expected, listing.Entries.Select(Line).Prepend($"revision {listing.Revision}"));
            Assert.All(listing.Entries, e => Assert.Equal((1L, 0L), (e.Version, e.LeaseId)));
            revision = (await store.PutAsync(listing.Entries[0].Key, Encoding.UTF8.GetBytes("changed"), listing.Entries[0].Revision)).Revision;
            Assert.Equal(listing.Revision + 1, revision);
        }

        await using EmbeddedMetadataStore reopened = EmbeddedMetadataStore.Open(_directory);
        MetadataListing after = await reopened.ListAsync("");
        Assert.Equal((revision, 2L), (after.Revision, after.Entries[0].Version));
        Assert.Equal(expected.Skip(2), after.Entries.Skip(1).Select(Line));
    }

    private static string Line(MetadataEntry e) => $"{e.Key} {e.Revision} {e.CreatedRevision} {Encoding.UTF8.GetString(e.Value.Span)}";

    private static string Root()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Danube.Fast.sln")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return Path.Combine(directory!, "tests", "golden", "metadata");
    }
}
