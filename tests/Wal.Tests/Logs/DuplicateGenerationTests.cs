using System.Buffers.Binary;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>A frame that is sent again after a restart is acknowledged with the generation that it was stored with, so its message id does not change.</summary>
public sealed class DuplicateGenerationTests
{
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_acknowledgement_of_a_resend_names_the_original_generation(bool fromSnapshot)
    {
        var directory = new SteppedDirectory(_files, _clock, o => o with { SnapshotIntervalBytes = fromSnapshot ? 1 : 1 << 30 });
        DurableLog log = directory.Create(1);
        uint[] stored = [Publish(directory, log, 1), Publish(directory, log, 2)];
        directory.Tick(TimeSpan.FromSeconds(1));
        Assert.Equal(fromSnapshot, _files.FileExists("/data/topics/1/producers.snap"));
        directory.Directory.Dispose();
        var next = new SteppedDirectory(_files, _clock);
        DurableLog again = next.Open(1);
        uint[] resent = [Publish(next, again, 1), Publish(next, again, 2)];
        Assert.Equal(stored, resent);
        Assert.All(stored, g => Assert.NotEqual(0u, g));
        Assert.True(Publish(next, again, 3) > stored[1]); // A new frame has the new generation.
    }

    private uint Publish(SteppedDirectory directory, DurableLog log, ulong sequence)
    {
        using var topic = new OpenTopic(log, _clock);
        byte[] frame = TestFrames.Build(1, sequence, 1, 100);
        while (topic.Topic.Publish(topic.Producer, frame).NotReady)
        {
            directory.RunBackground();
        }

        directory.RunCommits();
        return Assert.Single(topic.Sink.Generations);
    }

    private sealed class OpenTopic : IDisposable
    {
        public OpenTopic(DurableLog log, TimeProvider time)
        {
            Topic = new Topic("/t/generations", log, new MemoryCursorStore(), new TopicOptions(), time);
            Producer = Topic.AttachProducer(1, 0, 1, Sink);
        }

        public Topic Topic { get; }

        public Producer Producer { get; }

        public AckSink Sink { get; } = new();

        public void Dispose() => Topic.Log.Observer = null;
    }

    private sealed class AckSink : IFrameSink
    {
        public List<uint> Generations { get; } = [];

        public bool Send(ReadOnlySpan<byte> frames)
        {
            if (new StreamHeader(frames).Type == FrameType.PublishAck)
            {
                Generations.Add(BinaryPrimitives.ReadUInt32BigEndian(frames[40..]));
            }

            return true;
        }

        public bool Send(ReadOnlySpan<byte> prefix, LogRun run) => false;

        public void Flush()
        {
        }

        public void SendError(ErrorCode code, string message, uint channel, ulong? sequence) => Assert.Fail(message);

        public void CloseChannel(uint channel, ErrorCode code, string message)
        {
        }
    }
}
