namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>
/// A process with a wall clock that a test can set: libfaketime stands between the process and the C library and reads from a file how far the clock is ahead.
/// Clocks that count time, on which ownership rests, stay as they are: setting a machine's clock does not touch them either.
/// </summary>
internal static class FakeClock
{
    private const string Library = "faketime/libfaketimeMT.so.1";

    public static Dictionary<string, string> Environment(string clockFile) => new()
    {
        ["LD_PRELOAD"] = Find() ?? throw new InvalidOperationException("libfaketime is needed for this test: run './danube test' (it unpacks Debian's package), or install it."),
        ["FAKETIME_TIMESTAMP_FILE"] = clockFile,
        ["FAKETIME_CACHE_DURATION"] = "1",
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        ["FAKETIME_DONT_RESET"] = "1",
    };

    // Below the folder of the machine's architecture.
    private static string? Find() => new[] { "/usr/lib", Path.Combine(EtcdTools.Packages, "usr/lib") }.Where(Directory.Exists)
        .SelectMany(Directory.GetDirectories).Select(d => Path.Combine(d, Library)).FirstOrDefault(File.Exists);
}
