using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>The files of a stopped broker, for tests that damage them.</summary>
internal static class StoredBytes
{
    /// <summary>Waits until the files are synced themselves: what the commit journal still holds would be written again after a kill, and mend the damage.</summary>
    public static async Task OutOfJournalAsync(BrokerProcess broker)
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while ((await BrokerMetrics.ReadAsync(broker.Http, guard.Token)).Sum("danube_wal_journal_used_bytes") > 0)
        {
            await Task.Delay(100, guard.Token);
        }
    }

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
