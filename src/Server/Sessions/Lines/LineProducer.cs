using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions.Lines;

/// <summary>
/// A producer of a JSON-lines session: numbers its batches and answers each <c>$publish</c> when the engine acknowledges the frame.
/// Runs on: the receive loop (entering), whoever drains acknowledgements (answering).
/// </summary>
internal sealed class LineProducer(Session session) : LineChannel(session)
{
    private readonly Lock _gate = new();
    private readonly List<OpenPublish> _open = [];
    private Refusal? _closedWith;

    /// <summary>Sequence of the next batch that names none. By the receive loop only.</summary>
    public ulong NextSequence { get; set; }

    /// <summary>True while a publish waits for its answer.</summary>
    public bool HasOpen
    {
        get
        {
            lock (_gate)
            {
                return _open.Count > 0;
            }
        }
    }

    /// <summary>Notes a batch before it goes to the engine, which may acknowledge it at once. Not null: the channel is closed.</summary>
    public Refusal? Enter(OpenPublish publish)
    {
        lock (_gate)
        {
            if (_closedWith is null)
            {
                _open.Add(publish);
            }

            return _closedWith;
        }
    }

    /// <summary>Forgets a batch that was refused. False when the close of the channel has answered it already.</summary>
    public bool Leave(OpenPublish publish)
    {
        lock (_gate)
        {
            return _open.Remove(publish);
        }
    }

    public override bool Send(ReadOnlySpan<byte> frames)
    {
        while (frames.Length >= ProtocolLimits.HeaderSize)
        {
            var header = new StreamHeader(frames);
            if (header.Type == FrameType.PublishAck)
            {
                OnAcknowledged(new PublishAckFrame(frames));
            }

            frames = frames[Math.Min(header.FrameLength, frames.Length)..];
        }

        return true;
    }

    public override bool Send(ReadOnlySpan<byte> prefix, LogRun run)
    {
        run.Owner.Release();
        return false;
    }

    public override void OnClosed(ErrorCode code, string message)
    {
        OpenPublish[] open;
        lock (_gate)
        {
            if (_closedWith is not null)
            {
                return;
            }

            _closedWith = new Refusal(code, message);
            open = [.. _open];
            _open.Clear();
        }

        foreach (OpenPublish publish in open)
        {
            Session.Refuse(publish.Request, new Refusal(code, "The producer was closed before the answer, so it is not known whether the messages are stored: " + message));
        }
    }

    private void OnAcknowledged(PublishAckFrame ack)
    {
        for (int i = 0; i < ack.Count; i++)
        {
            (ulong sequence, long offset) = ack[i];
            if (Take(sequence) is { } publish)
            {
                var reply = new PublishReply { FirstSequence = sequence, FirstOffset = offset, Count = publish.Count, Generation = ack.Generation };
                Session.Reply(publish.Request, reply, ControlJson.Default.PublishReply);
            }
        }
    }

    // Acknowledgements come in the order of the frames, but for repeated ones: the first look nearly always finds it.
    private OpenPublish? Take(ulong sequence)
    {
        lock (_gate)
        {
            int at = _open.FindIndex(p => p.Sequence == sequence);
            if (at < 0)
            {
                return null;
            }

            OpenPublish found = _open[at];
            _open.RemoveAt(at);
            return found;
        }
    }
}

/// <summary>A publish that waits for its acknowledgement.</summary>
/// <param name="Request">Id, source and correlation id of the request; without its payload.</param>
/// <param name="Sequence">First sequence of the batch.</param>
/// <param name="Count">Records of the batch.</param>
internal sealed record OpenPublish(Envelope Request, ulong Sequence, int Count);
