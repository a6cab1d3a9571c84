using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>A copy of a message that stays valid. Immutable; can be passed between threads.</summary>
public sealed class OwnedMessage
{
    internal OwnedMessage(in Message message, ReadOnlySpan<byte> recordBytes, bool isBare)
    {
        Record record;
        if (isBare)
        {
            record = Record.OfBare(recordBytes);
        }
        else
        {
            new RecordReader(recordBytes).TryRead(out record);
        }

        Id = message.Id;
        Payload = record.Payload.ToArray();
        HasKey = (record.Flags & RecordFlags.Key) != 0;
        Key = record.Key.ToArray();
        Attributes = MessageAttributes.FromPacked(record.PackedAttributes.ToArray());
        EventTime = message.EventTime;
        PublishTime = message.PublishTime;
        AppendTime = message.AppendTime;
        RedeliveryCount = message.RedeliveryCount;
        TraceContext = message.TryGetTraceContext(out ActivityContext context) ? context : null;
    }

    /// <summary>The id of the message.</summary>
    public MessageId Id { get; }

    /// <summary>The content.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>True when the message has a key, which can be empty.</summary>
    public bool HasKey { get; }

    /// <summary>The key, empty when there is none.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>Names and values that the producer added.</summary>
    public MessageAttributes Attributes { get; }

    /// <summary>When the producer closed the batch of this message, by its clock.</summary>
    public DateTimeOffset PublishTime { get; }

    /// <summary>When the broker stored the message, by its clock.</summary>
    public DateTimeOffset AppendTime { get; }

    /// <summary>The time given by the application, null when there is none.</summary>
    public DateTimeOffset? EventTime { get; }

    /// <summary>How often the message was taken before without being acknowledged.</summary>
    public int RedeliveryCount { get; }

    /// <summary>As <see cref="Message.TryGetTraceContext"/>; null when there is none.</summary>
    public ActivityContext? TraceContext { get; }
}
