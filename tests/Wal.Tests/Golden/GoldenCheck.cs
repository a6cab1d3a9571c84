using System.Collections.Concurrent;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>Unpacks a golden directory, looks at it with the tool, opens it, compares everything, appends, and opens it again.</summary>
internal sealed class GoldenCheck(string golden, string data, int journalBytes)
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);
    private readonly GoldenContent _content = GoldenContent.Read(golden);
    private readonly ConcurrentQueue<WalEvent> _events = new();

    public async Task RunAsync()
    {
        GoldenFolder.Unpack(golden, _content, data);
        CheckInspection();
        var appended = new Dictionary<ulong, GoldenFrame>();
        using (DataDirectory directory = Open())
        {
            Assert.Equal(_content.Clean, directory.WasClosedCleanly);
            await CheckAsync(directory, appended);
            foreach (string kind in _content.Events)
            {
                await UntilAsync(() => _events.Any(e => e.Kind.ToString() == kind), $"no event {kind}");
            }

            await UntilAsync(() => !Directory.GetFileSystemEntries(Path.Combine(data, "topics"), "deleted-*").Any(), "a deleted topic is still there");
            Assert.Empty(Directory.GetFiles(data, "*.tmp", SearchOption.AllDirectories));
        }

        using DataDirectory again = Open();
        Assert.True(again.WasClosedCleanly);
        await CheckAsync(again, appended);
    }

    private DataDirectory Open() => DataDirectory.Open(data, new WalOptions { LowSpaceBytes = 0, JournalBytes = journalBytes, OnEvent = _events.Enqueue });

    private void CheckInspection()
    {
        Dictionary<string, (byte[], DateTime)> before = Files();
        DirectoryPicture picture = DirectoryInspection.Run(data, verify: true);
        Assert.Equal(_content.Faults.Count, picture.Faults.Count);
        for (int i = 0; i < _content.Faults.Count; i++)
        {
            Assert.StartsWith(_content.Faults[i], picture.Faults[i], StringComparison.Ordinal);
        }

        foreach (GoldenTopic topic in _content.Topics)
        {
            LogPicture log = Assert.Single(picture.Logs, l => l.TopicId == topic.Id);
            Assert.Equal((topic.Start, topic.End), (log.LogStart, log.Scan!.End));
            Assert.Equal(topic.Cursors.Keys, log.Cursors.Select(c => c.Subscription));
        }

        Dictionary<string, (byte[] Bytes, DateTime Written)> after = Files();
        Assert.Equal(before.Keys, after.Keys);
        Assert.All(before, b => Assert.True(after[b.Key].Bytes.AsSpan().SequenceEqual(b.Value.Item1) && after[b.Key].Written == b.Value.Item2, b.Key));
    }

    private Dictionary<string, (byte[] Bytes, DateTime Written)> Files() => Directory.GetFiles(data, "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).ToDictionary(f => f, f => (File.ReadAllBytes(f), File.GetLastWriteTimeUtc(f)));

    // Compares every topic and appends a frame to each; what was appended by an earlier call must be there too.
    private async Task CheckAsync(DataDirectory directory, Dictionary<ulong, GoldenFrame> appended)
    {
        foreach (GoldenTopic topic in _content.Topics)
        {
            var log = (DurableLog)directory.Open(topic.Id, DurabilityClass.Fsync, default);
            GoldenFrame? extra = appended.GetValueOrDefault(topic.Id);
            Assert.Null(log.Failure);
            Assert.Equal((topic.Start, extra?.End ?? topic.End), (log.LogStart, log.Committed));
            await UntilAsync(() => log.Durable == log.Committed, "recovered frames are not durable");
            List<GoldenFrame> expected = extra is null ? topic.Frames : [.. topic.Frames, extra];
            Assert.Equal(expected, ReadAll(log));
            Assert.Equal(topic.Damages, log.Damages.Select(d => new GoldenDamage(d.From, d.To)));
            foreach ((ulong producer, ulong sequence) in topic.Producers)
            {
                Assert.Equal(sequence, log.Producers.LastSequence(producer));
            }

            foreach ((string subscription, string state) in topic.Cursors)
            {
                Assert.Equal(state, Convert.ToHexString(directory.Cursors.Load(topic.Id, subscription)!));
            }

            if (extra is null)
            {
                byte[] frame = TestFrames.Build(99, 1, 1, 50);
                await LogDriver.AppendAsync(log, frame);
                appended[topic.Id] = new GoldenFrame(topic.End, topic.End + 1, GoldenScene.Crc(frame));
                await UntilAsync(() => log.Durable > topic.End, "the appended frame is not durable");
            }
        }
    }

    private static List<GoldenFrame> ReadAll(DurableLog log)
    {
        var frames = new List<GoldenFrame>();
        LogPosition position = LogPosition.At(log.LogStart);
        while (true)
        {
            ReadStatus status = log.Read(ref position, 1000, out LogRun run);
            status = status == ReadStatus.Cold ? log.ReadCold(ref position, 1000, out run) : status;
            if (status == ReadStatus.AtEnd)
            {
                return frames;
            }

            if (status == ReadStatus.Damaged)
            {
                position = LogPosition.At(log.EndOfDamage(position.Offset));
                continue;
            }

            Assert.Equal(ReadStatus.Ok, status);
            var header = new StreamHeader(run.Bytes.Span);
            frames.Add(new GoldenFrame(header.Offset, header.EndOffset, GoldenScene.Crc(run.Bytes.Span[..header.FrameLength])));
            position.Advance(header.FrameLength, header.EndOffset);
            run.Owner.Release();
        }
    }

    private static async Task UntilAsync(Func<bool> condition, string failure)
    {
        using var guard = new CancellationTokenSource(Guard);
        while (!condition())
        {
            Assert.False(guard.IsCancellationRequested, failure);
            await Task.Delay(5);
        }
    }
}
