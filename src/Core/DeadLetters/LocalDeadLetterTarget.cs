using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>A dead-letter topic of this process. Runs on: as its base says. Shared with: the topic.</summary>
internal sealed class LocalDeadLetterTarget : DeadLetterTarget
{
    private readonly Topic _topic;
    private readonly Producer _producer;

    public LocalDeadLetterTarget(Topic topic, ulong producerId, IFrameSink sink)
    {
        _topic = topic;
        _producer = topic.AttachProducer(producerId, 0, 0, sink);
    }

    public override string Name => _topic.Name;

    public override ulong LastSequence => _producer.LastSequence;

    public override bool IsOpen => _producer.Refusal == ErrorCode.None;

    public override bool HasRoom => _producer.UnacknowledgedBytes <= _producer.WindowBytes;

    public override async ValueTask AppendAsync(byte[] frame, CancellationToken cancellation)
    {
        while (true)
        {
            PublishResult result = _topic.Publish(_producer, frame);
            if (result.Error != ErrorCode.None)
            {
                throw new IOException($"Topic {_topic.Name} refuses a dead letter: {ErrorCodes.Name(result.Error)}.");
            }

            if (!result.NotReady)
            {
                return;
            }

            await _topic.Log.WaitForRoomAsync().ConfigureAwait(false);
        }
    }

    protected override void Dispose(bool disposing) => _producer.Detach();
}
