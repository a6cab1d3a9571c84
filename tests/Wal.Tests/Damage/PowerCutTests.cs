using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>
/// A power cut at every file call of a fixed run over three topics: of the pages (4 KiB) or sectors (512 bytes) and directory operations since the
/// last syncs any subset is on the disk. Few of them: every subset; many: a sample. Each time everything acknowledged is there, nothing is invented,
/// nothing counts as damaged, and the directory goes on.
/// </summary>
public sealed class PowerCutTests
{
    private const int EverySubsetUpTo = 8;
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();
    private readonly CrashModel[] _models = [.. Enumerable.Range(1, DamageWorld.Topics).Select(i => new CrashModel((ulong)i))];
    private SteppedDirectory? _directory;
    private DurableLog[] _logs = [];
    private Random _random = new(0);
    private int _journalBytes;
    private Exception? _failure;
    private long _images, _points, _exhausted, _tornTails;

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(8, 2, 0)]
    [InlineData(1, 3, 64)]
    [InlineData(8, 4, 64)]
    public void Whatever_subset_of_unsynced_pages_is_on_the_disk_nothing_acknowledged_is_lost(int sectorsPerUnit, int seed, int journalKiB)
    {
        _journalBytes = journalKiB * 1024;
        _random = new Random(seed);
        Open(create: true);
        _files.Before = (call, path) =>
        {
            if (call is not (FileCall.Read or FileCall.Open) && _failure is null)
            {
                // Not thrown here: the log would take it for an error of the disk.
                _failure = Record.Exception(() => Case.Named($"before {call} of {path}, point {_points}", () => CutHere(sectorsPerUnit)));
            }
        };
        for (int step = 0; step < 120; step++)
        {
            Step(step);
            Observe(_models, _logs);
            Assert.True(_failure is null, _failure?.ToString());
        }

        LongMode.Report($"power cut, units of {sectorsPerUnit * SimulatedFile.Sector} bytes, {(journalKiB == 0 ? "no journal" : "journal")}", $"{_images} images at {_points} file calls, {_exhausted} of them with every subset; {_tornTails} torn tails, 0 damages");
        Assert.True(_exhausted > 8 && _tornTails > 0, $"{_exhausted} {_tornTails}");
    }

    private WalOptions Configure(WalOptions options) =>
        options with { FirstSegmentBytes = DamageWorld.SegmentBytes, SegmentBytes = DamageWorld.SegmentBytes, JournalBytes = _journalBytes };

    private void Step(int step)
    {
        SteppedDirectory directory = _directory!;
        int i = _random.Next(_logs.Length);
        switch (step % 12)
        {
            case 5 or 8:
                directory.RunCommits();
                break;
            case 7:
                directory.Directory.Cursors.Save(_models[i].TopicId, "sub", new byte[_random.Next(1, 600)]);
                directory.Tick(TimeSpan.FromMilliseconds(2600));
                break;
            case 10:
                _logs[i].DeleteBelow(_models[i].NextStart(_random, _logs[i]));
                directory.RunBackground();
                break;
            case 11 when step % 36 == 35:
                directory.Directory.Dispose();
                Open(create: false);
                break;
            default:
                byte[] frame = _models[i].NextFrame(_random);
                _models[i].Appended(frame);
                Assert.Equal(AppendStatus.Ok, directory.Append(_logs[i], frame));
                break;
        }
    }

    // What the engine may have told clients up to this very call.
    private static void Observe(CrashModel[] models, DurableLog[] logs)
    {
        for (int i = 0; i < logs.Length; i++)
        {
            if (logs[i].IsReady)
            {
                models[i].Observe(logs[i]);
            }
        }
    }

    private void CutHere(int sectorsPerUnit)
    {
        Observe(_models, _logs);
        _points++;
        var all = new MaskCut(ulong.MaxValue, sectorsPerUnit);
        Recover(_files.Crash(all));
        if (all.Asked <= LongMode.Pick(2, EverySubsetUpTo))
        {
            _exhausted++;
            for (ulong mask = 0; mask < (1UL << all.Asked) - 1; mask++)
            {
                Recover(_files.Crash(new MaskCut(mask, sectorsPerUnit)));
            }

            return;
        }

        var random = new Random((int)_points);
        for (int i = 0; i < LongMode.Pick(3, 250); i++)
        {
            Recover(_files.Crash(new RandomCut(random, random.NextDouble(), sectorsPerUnit)));
        }
    }

    private void Recover(SimulatedFileSystem image)
    {
        _images++;
        var directory = new SteppedDirectory(image, _clock, Configure);
        CrashModel[] models = [.. _models.Select(m => m.Clone())];
        DurableLog[] logs = [.. models.Select(m => directory.Open(m.TopicId))];
        for (int i = 0; i < logs.Length; i++)
        {
            models[i].Verify(logs[i], mayBeAhead: _journalBytes > 0);
            models[i].ContinueFrom(logs[i]);
        }

        _tornTails += directory.Events.Count(e => e.Kind == WalEventKind.TornTail);
        Assert.DoesNotContain(directory.Events, e => e.Kind is WalEventKind.Damaged or WalEventKind.JournalDamaged or WalEventKind.CursorsDamaged);
        if (_images % 4 != 0)
        {
            return;
        }

        // It goes on, and so does the next start after another cut.
        for (int i = 0; i < logs.Length; i++)
        {
            byte[] frame = models[i].NextFrame(new Random(7));
            models[i].Appended(frame);
            Assert.Equal(AppendStatus.Ok, directory.Append(logs[i], frame));
        }

        directory.RunCommits();
        Observe(models, logs);
        var again = new SteppedDirectory(image.Crash(new RandomCut(new Random((int)_images), 0.5)), _clock, Configure);
        foreach (CrashModel model in models)
        {
            Assert.Equal(model.End, model.Acknowledged);
            model.Verify(again.Open(model.TopicId), mayBeAhead: _journalBytes > 0);
        }
    }

    private void Open(bool create)
    {
        _directory = new SteppedDirectory(_files, _clock, Configure);
        _logs = [.. _models.Select(m => create ? _directory.Create(m.TopicId) : _directory.Open(m.TopicId))];
    }
}
