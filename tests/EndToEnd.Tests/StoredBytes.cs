namespace Danube.Fast.EndToEnd.Tests;

/// <summary>The files of a stopped broker, for tests that damage them.</summary>
internal static class StoredBytes
{
    /// <summary>Flips a bit in the one place where a payload is stored.</summary>
    public static void FlipByteOf(string data, byte[] payload)
    {
        int hits = 0;
        foreach (string path in Directory.EnumerateFiles(Path.Combine(data, "topics"), "*", SearchOption.AllDirectories))
        {
            byte[] bytes = File.ReadAllBytes(path);
            int at = bytes.AsSpan().IndexOf(payload);
            if (at < 0)
            {
                continue;
            }

            using FileStream file = File.OpenWrite(path);
            file.Position = at + 30;
            file.WriteByte((byte)(payload[30] ^ 0x04));
            hits++;
        }

        Assert.Equal(1, hits);
    }
}
