using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>
/// Promises 1 and 2: whatever a power cut leaves of the unsynced sectors and directory operations, everything acknowledged is there, offsets are
/// dense and nothing is invented; also after a second cut directly after the recovery. Every run is determined by its seed.
/// </summary>
public sealed class CrashImageTests
{
    private const int Logs = 3;

    [Theory]
    [InlineData(AppendMode.Pwrite, 0, 1)]
    [InlineData(AppendMode.Pwrite, 64, 2)]
    [InlineData(AppendMode.Pwrite, 256, 3)]
    [InlineData(AppendMode.Mapped, 128, 4)]
    public void Acknowledged_frames_survive_any_crash_image(AppendMode mode, int journalKiB, int block)
    {
        var seen = new Tally();
        for (int seed = block * 1000; seed < (block * 1000) + LongMode.Pick(6, 300); seed++)
        {
            Scenario(seed, new Setting(mode, journalKiB * 1024), seen);
        }

        LongMode.Report($"crash images, {mode}, journal of {journalKiB} KiB", $"{seen.Images} images, {seen.Groups} groups, {seen.Replayed} entries replayed, {seen.Checkpoints} checkpoints, {seen.LeftBehindBytes} torn bytes, nothing lost");

        // The scenarios did meet what they are about.
        Assert.True(seen.Images > 500, $"{seen.Images} images.");
        Assert.True(seen is { Rolls: > 0, LeftBehindBytes: > 0, DeletedSegments: > 0, Snapshots: > 0, Deletions: > 0 }, seen.ToString());
        Assert.True(journalKiB == 0 || seen is { Groups: > 0, Replayed: > 0, Checkpoints: > 0, Syncs: > 0 }, seen.ToString());
    }

    private sealed record Setting(AppendMode Mode, int JournalBytes);

    private sealed record Tally
    {
        public long Images { get; set; }
        public long Rolls { get; set; }
        public long LeftBehindBytes { get; set; }
        public long DeletedSegments { get; set; }
        public long Snapshots { get; set; }
        public long Deletions { get; set; }
        public long Groups { get; set; }
        public long Replayed { get; set; }
        public long Checkpoints { get; set; }
        public long Syncs { get; set; }

        public void Add(WalCounters counters)
        {
            Images++;
            Rolls += counters.Rolls;
            LeftBehindBytes += counters.LeftBehindBytes;
            DeletedSegments += counters.DeletedSegments;
            Snapshots += counters.Snapshots;
            Groups += counters.JournalGroups;
            Replayed += counters.ReplayedEntries;
            Checkpoints += counters.Checkpoints;
            Syncs += counters.Syncs;
        }
    }

    private static void Scenario(int seed, Setting setting, Tally seen)
    {
        try
        {
            var random = new Random(seed);
            var world = new World(new SimulatedFileSystem(), [.. Enumerable.Range(1, Logs).Select(i => new CrashModel((ulong)i))], new TestClock(), setting, seen);
            world.Start();
            for (int life = 0; life < 4; life++)
            {
                for (int step = 0; step < 60; step++)
                {
                    world.Step(random);
                    if (random.Next(6) == 0)
                    {
                        world.CheckImage(random);
                    }
                }

                world = random.Next(3) == 0 ? world.Kill() : world.Crash(random);
            }
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"Seed {seed}: {error.Message}", error);
        }
    }

    private sealed class World(SimulatedFileSystem files, CrashModel[] models, TestClock clock, Setting setting, Tally seen)
    {
        private SteppedDirectory _directory = null!;
        private DurableLog[] _logs = [];

        public void Start()
        {
            Open();
            _logs = [.. models.Select(m => _directory.Create(m.TopicId, retention: RetentionOf(m)))];
        }

        public void Step(Random random)
        {
            int i = random.Next(models.Length);
            switch (random.Next(17))
            {
                case < 9:
                    byte[] frame = models[i].NextFrame(random);
                    Assert.Equal(AppendStatus.Ok, _directory.Append(_logs[i], frame));
                    models[i].Appended(frame);
                    break;
                case < 13:
                    _directory.Directory.Committer.RunOne();
                    break;
                case 13:
                    _directory.RunBackground();
                    break;
                case 14:
                    _directory.Tick(TimeSpan.FromMilliseconds(random.Next(1, random.Next(4) == 0 ? 6000 : 1500)));
                    break;
                case 15:
                    _logs[i].DeleteBelow(models[i].NextStart(random, _logs[i]));
                    _directory.RunBackground();
                    seen.Deletions++;
                    break;
                default:
                    if (random.Next(4) == 0)
                    {
                        CloseAndOpen();
                    }

                    break;
            }

            Observe();
        }

        /// <summary>A power cut now: recover from the image, use it, cut again.</summary>
        public void CheckImage(Random random)
        {
            for (int i = 0; i < 4; i++)
            {
                World after = Crash(random);
                if (random.Next(2) == 0)
                {
                    World again = after.Crash(random); // Directly after the recovery, before anything of it was synced.
                    again.UseForAWhile(random);
                }
                else
                {
                    after.UseForAWhile(random);
                }
            }
        }

        public World Crash(Random random)
        {
            double survival = random.Next(5) switch { 0 => 0, 1 => 1, 2 => 0.1, 3 => 0.9, _ => 0.5 };
            return Recover(files.Crash(random, survival));
        }

        public World Kill() => Recover(files.Kill());

        private World Recover(SimulatedFileSystem image)
        {
            var world = new World(image, [.. models.Select(m => m.Clone())], clock, setting, seen);
            seen.Add(_directory.Directory.Counters);
            world.Reopen();
            return world;
        }

        private void UseForAWhile(Random random)
        {
            for (int i = 0; i < 6; i++)
            {
                Step(random);
            }

            Recover(files.Crash(random, random.NextDouble()));
        }

        private void Reopen()
        {
            Open();
            _logs = [.. models.Select(m => _directory.Open(m.TopicId, retention: RetentionOf(m)))];
            Assert.Equal(0, _directory.Directory.Counters.JournalDamage);
            Assert.DoesNotContain(_directory.Events, e => e.Kind == WalEventKind.JournalDamaged);
            for (int i = 0; i < models.Length; i++)
            {
                models[i].Verify(_logs[i]);
                models[i].ContinueFrom(_logs[i]);
            }
        }

        private void CloseAndOpen()
        {
            _directory.Directory.Dispose();
            foreach (CrashModel model in models)
            {
                Assert.True(model.End >= model.Acknowledged);
            }

            Open();
            _logs = [.. models.Select(m => _directory.Open(m.TopicId, retention: RetentionOf(m)))];
            Assert.True(_directory.Directory.WasClosedCleanly);
            for (int i = 0; i < models.Length; i++)
            {
                Assert.Equal(models[i].End, _logs[i].Durable);
                models[i].Observe(_logs[i]);
                models[i].Verify(_logs[i]);
            }
        }

        private void Open() => _directory = new SteppedDirectory(files, clock, o => o with { AppendMode = setting.Mode, JournalBytes = setting.JournalBytes, RetentionIntervalMs = 1000 });

        // The first topic keeps everything, the second 60 KB, the third 5 seconds.
        private static LogRetention RetentionOf(CrashModel model) => model.TopicId switch { 2 => new LogRetention(0, 60_000), 3 => new LogRetention(5000, 0), _ => default };

        private void Observe()
        {
            for (int i = 0; i < models.Length; i++)
            {
                models[i].Observe(_logs[i]);
            }
        }
    }
}
