using System.Text;

namespace Danube.Fast.Wal.Tests;

/// <summary>The key-value file under cursors and metadata.</summary>
public sealed class RecordLogTests
{
    private const string File = "/r.log";
    private readonly SimulatedFileSystem _files = new();

    [Fact]
    public void Entries_come_back_after_a_sync_and_removed_ones_do_not()
    {
        using (RecordLog log = RecordLog.Open(File, _files))
        {
            Put(log, "a", "1");
            Put(log, "b", "2");
            Put(log, "a", "3");
            log.Remove("b"u8);
            log.Remove("never there"u8);
            Put(log, "c", "");
            log.Sync();
            Assert.False(log.HasPending);
        }

        using RecordLog again = RecordLog.Open(File, _files.Crash(new Random(1), 0));
        Assert.Equal(["a=3", "c="], Live(again));
        Assert.Null(again.Get("b"u8));
    }

    [Fact]
    public void Crash_images_hold_a_prefix_of_the_changes_and_all_synced_ones()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var files = new SimulatedFileSystem();
            RecordLog log = RecordLog.Open(File, files);
            int written = 0, synced = 0;
            for (int life = 0; life < 4; life++)
            {
                for (int step = random.Next(40); step > 0; step--)
                {
                    written++;
                    log.Append(Encoding.ASCII.GetBytes($"k{written % 7}"), Encoding.ASCII.GetBytes($"{written}".PadRight(random.Next(1, 900))));
                    if (random.Next(6) == 0)
                    {
                        log.Sync();
                        synced = written;
                    }
                }

                files = files.Crash(random, random.NextDouble());
                log = RecordLog.Open(File, files);
                int newest = log.Entries.Select(e => int.Parse(Encoding.ASCII.GetString(e.Value).Trim(), null)).DefaultIfEmpty(0).Max();
                Assert.InRange(newest, synced, written);
                Assert.Equal(Enumerable.Range(Math.Max(1, newest - 6), Math.Min(7, newest)), log.Entries.Select(e => int.Parse(Encoding.ASCII.GetString(e.Value).Trim(), null)).Order());
                Assert.Equal(0, log.DamagedBytes);
                written = synced = newest;
            }
        }
    }

    [Fact]
    public void Every_cut_is_a_torn_tail_or_reported_as_damage()
    {
        using (RecordLog log = RecordLog.Open(File, _files))
        {
            for (int i = 0; i < 5; i++)
            {
                Put(log, $"k{i}", "value");
                log.Sync();
            }
        }

        SimulatedFile file = _files.FileAt(File);
        byte[] whole = file.Cache.AsSpan(0, file.Length).ToArray();
        for (int cut = RecordFormat.HeaderSize; cut < whole.Length; cut++)
        {
            var image = new SimulatedFileSystem();
            using (WalFile copy = image.Create(File))
            {
                copy.Write(whole.AsSpan(0, cut), 0);
            }

            using RecordLog log = RecordLog.Open(File, image);
            int left = (cut - RecordFormat.HeaderSize) / RecordFormat.Measure(2, 5);
            Assert.Equal(left, log.Entries.Count);
            Put(log, "new", "x");
            log.Sync();
            using RecordLog again = RecordLog.Open(File, image.Crash(new Random(1), 0));
            Assert.Equal(left + 1, again.Entries.Count);
        }
    }

    [Fact]
    public void A_flipped_bit_loses_one_record_and_says_so()
    {
        using (RecordLog log = RecordLog.Open(File, _files))
        {
            for (int i = 0; i < 6; i++)
            {
                Put(log, $"k{i}", "value");
                log.Sync();
            }
        }

        SimulatedFile file = _files.FileAt(File);
        int size = RecordFormat.Measure(2, 5);
        for (int bit = 0; bit < (RecordFormat.HeaderSize + (4 * size)) * 8; bit += 3)
        {
            int place = bit / 8;
            bool inPadding = place >= RecordFormat.HeaderSize && (place - RecordFormat.HeaderSize) % size >= RecordFormat.RecordHead + 7;
            SimulatedFileSystem image = _files.Crash(new Random(1), 1);
            image.FileAt(File).FlipBit(bit);
            using RecordLog log = RecordLog.Open(File, image);
            Assert.Equal(place < RecordFormat.HeaderSize || inPadding ? 6 : 5, log.Entries.Count);
            Assert.True(inPadding || log.DamagedBytes > 0);
        }
    }

    [Fact]
    public void A_file_of_mostly_dead_records_is_rewritten()
    {
        using RecordLog log = RecordLog.Open(File, _files);
        var value = new byte[1000];
        for (int i = 0; i < 3000; i++)
        {
            value[0] = (byte)i;
            log.Append(Encoding.ASCII.GetBytes($"k{i % 3}"), value);
            log.Sync();
        }

        Assert.True(_files.FileAt(File).Length < 400_000);
        Assert.Equal(2999 % 256, log.Get("k2"u8)![0]);
        Assert.Equal(3, log.Entries.Count);
    }

    [Theory]
    [InlineData(FileCall.Write)]
    [InlineData(FileCall.Sync)]
    [InlineData(FileCall.Rename)]
    public void An_error_that_passes_loses_nothing(FileCall call) => FailOnce(call);

    [Fact]
    public void Changes_of_several_threads_are_all_there()
    {
        using RecordLog log = RecordLog.Open(File, _files);
        Parallel.For(0, 4, thread =>
        {
            for (int i = 0; i < 500; i++)
            {
                log.Append(Encoding.ASCII.GetBytes($"{thread}-{i % 50}"), Encoding.ASCII.GetBytes($"{i}"));
                if (i % 20 == 0)
                {
                    log.Sync();
                }
            }
        });
        log.Sync();
        using RecordLog again = RecordLog.Open(File, _files.Crash(new Random(1), 0));
        Assert.Equal(200, again.Entries.Count);
        Assert.All(again.Entries, e => Assert.True(int.Parse(Encoding.ASCII.GetString(e.Value), null) >= 450));
    }

    private void FailOnce(FileCall call)
    {
        using RecordLog log = RecordLog.Open(File, _files);
        Put(log, "a", "1");
        log.Sync();
        Put(log, "b", "2");
        int failures = 2; // Sync, then the rewrite that follows.
        _files.Before = (c, _) =>
        {
            if ((c == call || (call == FileCall.Rename && c == FileCall.Sync)) && failures-- > 0)
            {
                throw new IOException("injected");
            }
        };
        Assert.Throws<IOException>(log.Sync);
        Assert.True(log.HasPending);
        Put(log, "c", "3");
        Assert.Throws<IOException>(log.Sync);
        log.Sync();
        using RecordLog again = RecordLog.Open(File, _files.Crash(new Random(1), 0));
        Assert.Equal(["a=1", "b=2", "c=3"], Live(again));
    }

    private static void Put(RecordLog log, string key, string value) => log.Append(Encoding.ASCII.GetBytes(key), Encoding.ASCII.GetBytes(value));

    private static string[] Live(RecordLog log) =>
        [.. log.Entries.Select(e => $"{Encoding.ASCII.GetString(e.Key)}={Encoding.ASCII.GetString(e.Value)}").Order(StringComparer.Ordinal)];
}
