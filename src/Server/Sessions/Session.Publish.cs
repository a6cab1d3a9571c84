using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>Publish frames. Consecutive ones of a channel go to the engine as one run, straight from the receive buffer.</summary>
internal sealed partial class Session
{
    private Channel? _runChannel;
    private Memory<byte> _run;
    private ErrorCode _refusedAfterRun;
    private ulong _refusedSequence;

    /// <summary>Takes the publish frame at <paramref name="consumed"/> and those behind it. False when the log needs a moment.</summary>
    private bool OnPublish(Memory<byte> memory, ref int consumed)
    {
        Span<byte> bytes = memory.Span;
        var header = new StreamHeader(bytes[consumed..]);
        uint id = header.Channel;
        Channel? channel = FindChannel(id, header.Sequence);
        if (channel?.Producer is null)
        {
            if (channel is not null)
            {
                SendError(ErrorCode.BadRequest, "Publish frames are for producers; this channel is a consumer.", id, header.Sequence);
            }

            _counters.OnReceived(FrameType.Publish);
            consumed += _scanned.Length;
            return true;
        }

        int start = consumed;
        consumed = GatherRun(bytes, consumed, id, out int runEnd);
        _runChannel = channel;
        _run = memory[start..runEnd];
        return PublishRun();
    }

    /// <summary>Checks frames as far as they are of one channel and good. Returns where to go on: behind the run, or behind the frame that ended it by being refused.</summary>
    private int GatherRun(Span<byte> bytes, int at, uint channel, out int runEnd)
    {
        ScannedFrame frame = _scanned;
        _refusedAfterRun = ErrorCode.None;
        while (true)
        {
            _counters.OnReceived(FrameType.Publish);
            ReadOnlySpan<byte> whole = bytes.Slice(at, frame.Length);
            _refusedAfterRun = PublishValidator.Validate(whole, _maxFrame);
            if (_refusedAfterRun != ErrorCode.None)
            {
                _refusedSequence = new StreamHeader(whole).Sequence;
                runEnd = at;
                return at + frame.Length;
            }

            at += frame.Length;
            if (FrameScanner.Scan(bytes[at..], _maxFrame, allowStream: true, out frame) != ScanStatus.Done
                || frame.Version != 2 || frame.Type != FrameType.Publish || new StreamHeader(bytes[at..]).Channel != channel)
            {
                runEnd = at;
                return at;
            }
        }
    }

    /// <summary>Publishes what is left of the run. False when the log needs a moment; then <see cref="WaitForRoomAsync"/> goes on.</summary>
    private bool PublishRun()
    {
        Channel channel = _runChannel!;
        Producer producer = channel.Producer!;
        while (!_run.IsEmpty && _channels.Find(channel.Id) == channel)
        {
            PublishResult result = channel.Topic.Publish(producer, _run.Span, _receivedAt);
            _run = _run[result.BytesConsumed..];
            if (result.NotReady)
            {
                return false;
            }

            if (result.Error != ErrorCode.None)
            {
                OnRefused(channel, producer, result);
            }
        }

        if (_refusedAfterRun != ErrorCode.None)
        {
            channel.Topic.Counters.Refusals.Count(_refusedAfterRun);
            SendError(_refusedAfterRun, ErrorTexts.Of(_refusedAfterRun), channel.Id, _refusedSequence);
        }

        _runChannel = null;
        _run = default;
        return true;
    }

    // The frames behind a refused one are judged on their own: they are gaps until the expected sequence comes.
    private void OnRefused(Channel channel, Producer producer, in PublishResult result)
    {
        string text = producer.Refusal == result.Error && producer.RefusalText.Length > 0 ? producer.RefusalText : ErrorTexts.Of(result.Error);
        SendError(result.Error, text, channel.Id, result.Sequence);
        if (result.Error is ErrorCode.WindowExceeded or ErrorCode.Fenced)
        {
            CloseChannel(channel.Id, result.Error, text);
            channel.Detach();
            return;
        }

        if (!_run.IsEmpty)
        {
            _run = _run[Math.Min(new StreamHeader(_run.Span).FrameLength, _run.Length)..];
        }
    }

    private async ValueTask WaitForRoomAsync()
    {
        do
        {
            await _runChannel!.Topic.Log.WaitForRoomAsync();
        }
        while (!PublishRun());
    }
}
