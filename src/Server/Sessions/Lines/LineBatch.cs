using System.Buffers;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions.Lines;

/// <summary>From the messages of a <c>$publish</c> to one batch frame.</summary>
internal static class LineBatch
{
    private const int FirstBuffer = 4096;

    /// <summary>The sealed frame, or why the messages do not make one.</summary>
    public static Answer<byte[]> Build(PublishRequest wish, ulong producerId, ulong sequence, int maxFrame)
    {
        if (wish.Messages.Length is 0 or > ProtocolLimits.MaxRecordsPerFrame)
        {
            return Bad($"$publish takes 1 to {ProtocolLimits.MaxRecordsPerFrame} messages.");
        }

        using var batch = new BatchWriter(maxFrame, FirstBuffer);
        for (int i = 0; i < wish.Messages.Length; i++)
        {
            if (Append(batch, wish.Messages[i], i) is { } refusal)
            {
                return refusal;
            }
        }

        // Not null from here on: what was appended is there.
        string? key = wish.Messages[0].Key;
        bool oneKey = key is not null && Array.TrueForAll(wish.Messages, m => m.Key == key);
        var fields = new PublishFields
        {
            Flags = oneKey ? FrameFlags.OneKey : FrameFlags.None,
            KeyHash = oneKey ? KeyHash.Compute(Encoding.UTF8.GetBytes(key!)) : 0,
            ProducerId = producerId,
            Sequence = sequence,
            PublishTimeMicros = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
            DelayMs = wish.DelayMs,
            TimeToLiveSeconds = wish.TtlS,
        };
        return batch.Seal(fields, wish.Channel, Codec.None).ToArray();
    }

    private static Refusal? Append(BatchWriter batch, OutgoingBody? message, int index)
    {
        if (message is null)
        {
            return Bad($"Message {index} is null: leave payload out for an empty one.");
        }

        if (message.Payload is not null && message.PayloadBase64 is not null)
        {
            return Bad($"Message {index} has payload and payload_base64: give one of them.");
        }

        byte[] payload = message.PayloadBase64 is { } base64 ? new byte[(base64.Length * 3L / 4) + 3] : Encoding.UTF8.GetBytes(message.Payload ?? "");
        int length = payload.Length;
        if (message.PayloadBase64 is { } coded && !Convert.TryFromBase64String(coded, payload, out length))
        {
            return Bad($"payload_base64 of message {index} is not Base64.");
        }

        byte[] key = Encoding.UTF8.GetBytes(message.Key ?? "");
        if (key.Length > ProtocolLimits.MaxKeyLength)
        {
            return Bad($"The key of message {index} has {key.Length} bytes, at most {ProtocolLimits.MaxKeyLength} fit.");
        }

        if (message.EventTime is 0)
        {
            return Bad($"event_time of message {index} is 0: leave it out, or give Unix microseconds.");
        }

        if (!TryPack(message.Attributes, out byte[] attributes))
        {
            return Bad($"The attributes of message {index} do not fit: at most 255, names of 1 to 255 bytes, values of at most 65,535.");
        }

        return batch.TryAppend(message.Key is not null, key, attributes, message.EventTime ?? 0, payload.AsSpan(0, length))
            ? null
            : new Refusal(ErrorCode.FrameTooLarge, $"Up to message {index} the batch is longer than a frame may be: publish fewer messages at once, or smaller ones.");
    }

    private static bool TryPack(Dictionary<string, string>? attributes, out byte[] packed)
    {
        packed = [];
        if (attributes is null || attributes.Count == 0)
        {
            return true;
        }

        long room = 1 + attributes.Sum(a => (long)AttributeWriter.Measure(Encoding.UTF8.GetByteCount(a.Key), Encoding.UTF8.GetByteCount(a.Value ?? "")));
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(room, ProtocolLimits.MaxNegotiableFrame));
        try
        {
            var writer = new AttributeWriter(buffer);
            foreach ((string name, string value) in attributes)
            {
                if (!writer.TryAdd(name, Encoding.UTF8.GetBytes(value ?? "")))
                {
                    return false;
                }
            }

            packed = writer.Packed.ToArray();
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static Refusal Bad(string text) => new(ErrorCode.BadRequest, text);
}
