using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

internal sealed record DeadLetter(string Key, int PayloadLength, long EventTime, long PublishTime, uint SchemaId, Dictionary<string, string> Attributes);

/// <summary>One dead-letter topic over a log that the test steers.</summary>
internal sealed class DeadLetterTopics : ITopicResolver
{
    private readonly TopicOptions _options;

    private readonly string _name;

    public DeadLetterTopics(ManualLog log, TopicOptions? options = null, string name = "/t/rig-dead-letter")
    {
        Log = log;
        _name = name;
        _options = options ?? new TopicOptions();
        Topic = Make();
    }

    public ManualLog Log { get; }

    public Topic Topic { get; private set; }

    public List<string> Opened { get; } = [];

    public void Renew() => Topic = Make();

    public ValueTask<Topic> OpenOrCreateAsync(string name, Topic source, CancellationToken cancellation)
    {
        Opened.Add(name);
        return ValueTask.FromResult(Topic);
    }

    public DeadLetter Read(long offset)
    {
        var position = LogPosition.At(offset);
        Assert.Equal(ReadStatus.Ok, Log.Read(ref position, 100_000, out LogRun run));
        var frames = new RunReader(run.Bytes.Span);
        Assert.True(frames.TryRead(out StoredFrame frame));
        Assert.Equal(1u, frame.Header.RecordCount);
        Assert.Equal(ErrorCode.None, PublishValidator.Validate(frame.Bytes, ProtocolLimits.DefaultMaxFrame));
        var records = new RecordReader(frame.Payload);
        Assert.True(records.TryRead(out Protocol.Record record));
        var attributes = new Dictionary<string, string>();
        var reader = new AttributeReader(record.PackedAttributes);
        while (reader.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
        {
            attributes.Add(Encoding.UTF8.GetString(name), Encoding.UTF8.GetString(value));
        }

        run.Owner.Release();
        return new DeadLetter(Encoding.UTF8.GetString(record.Key), record.Payload.Length, record.EventTimeMicros, frame.Header.PublishTimeMicros, frame.Header.SchemaId, attributes);
    }

    private Topic Make() => new(_name, Log, new MemoryCursorStore(), _options, new ManualTime());
}
