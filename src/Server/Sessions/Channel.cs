using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Sessions.Lines;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Sessions;

/// <summary>
/// A producer or a consumer of one connection. Runs on: the receive loop. Shared with: engine threads that close it; whether it
/// is announced or closed changes under its own lock.
/// </summary>
internal sealed class Channel(uint id, TopicEntry entry, Topic topic)
{
    private readonly Lock _gate = new();
    private bool _announced;
    private Refusal? _closedWith;

    public uint Id { get; } = id;
    public TopicEntry Entry { get; } = entry;
    public Topic Topic { get; } = topic;
    public Producer? Producer { get; set; }
    public Consumer? Consumer { get; set; }

    /// <summary>Its end towards a peer that speaks JSON lines; null for frames.</summary>
    public LineChannel? Lines { get; set; }

    /// <summary>Tells the peer of the channel unless it was closed meanwhile: the answer is why.</summary>
    public Refusal? Announce(Action sendReply)
    {
        lock (_gate)
        {
            if (_closedWith is null)
            {
                _announced = true;
                sendReply();
            }

            return _closedWith;
        }
    }

    /// <summary>Closes the channel once. True when the peer knows it and must be told.</summary>
    public bool TryClose(ErrorCode code, string message)
    {
        lock (_gate)
        {
            if (_closedWith is not null)
            {
                return false;
            }

            _closedWith = new Refusal(code, message);
            return _announced;
        }
    }

    /// <summary>Gives producer and consumer back to the engine. Idempotent.</summary>
    public void Detach()
    {
        Producer?.Detach();
        if (Consumer is { } consumer)
        {
            // What was written to the peer counts as taken, also what nobody has told the engine yet.
            (Lines as LineConsumer)?.Grant();
            consumer.Detach();
        }
    }
}
