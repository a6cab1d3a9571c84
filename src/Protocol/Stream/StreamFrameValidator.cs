namespace Danube.Fast.Protocol;

/// <summary>
/// Checks of the version-2 frames other than publish, behind those of <see cref="FrameScanner"/>: what is inside a frame agrees with its
/// header, so that the views can be read without a further thought. Never throws, allocates nothing. Runs on: the receiving thread.
/// </summary>
public static class StreamFrameValidator
{
    /// <param name="frame">One whole frame of a type from publish-ack to close.</param>
    /// <returns>
    /// <see cref="ErrorCode.None"/>, <see cref="ErrorCode.BadType"/> (publish: see <see cref="PublishValidator"/>), <see cref="ErrorCode.BadPayload"/>,
    /// <see cref="ErrorCode.BadAck"/>, and for a deliver also <see cref="ErrorCode.BadContentCrc"/>, <see cref="ErrorCode.BadHeaderCrc"/>,
    /// <see cref="ErrorCode.BadPadding"/> and <see cref="ErrorCode.BadRecords"/>.
    /// </returns>
    public static ErrorCode Validate(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < ProtocolLimits.HeaderSize)
        {
            return ErrorCode.BadPayload;
        }

        var header = new StreamHeader(frame);
        if (header.PayloadLength > (uint)(frame.Length - ProtocolLimits.HeaderSize))
        {
            return ErrorCode.BadPayload;
        }

        return header.Type switch
        {
            FrameType.PublishAck => new PublishAckFrame(frame).IsConsistent ? ErrorCode.None : ErrorCode.BadPayload,
            FrameType.Deliver => DeliverValidator.Validate(frame),
            FrameType.Ack or FrameType.Nack => CheckAck(new AckFrame(frame)),
            FrameType.Credit or FrameType.Ping or FrameType.Pong => header.PayloadLength == 0 ? ErrorCode.None : ErrorCode.BadPayload,
            FrameType.Close => ErrorCode.None,
            _ => ErrorCode.BadType,
        };
    }

    /// <summary>Offsets are never negative, ranges never empty, and nothing runs over the end of the offsets.</summary>
    private static ErrorCode CheckAck(AckFrame ack)
    {
        if (!ack.IsConsistent)
        {
            return ErrorCode.BadPayload;
        }

        if (ack.CumulativeBelow < 0 || (ack.IsNack && ack.CumulativeBelow != 0))
        {
            return ErrorCode.BadAck;
        }

        for (int i = 0; i < ack.RangeCount; i++)
        {
            (long first, uint count) = ack.Range(i);
            if (first < 0 || count == 0 || first > long.MaxValue - count)
            {
                return ErrorCode.BadAck;
            }
        }

        return ErrorCode.None;
    }
}
