namespace Danube.Fast.Protocol;

/// <summary>
/// Checks a whole deliver: exclusion list (fits, CRC, ascending, no overlap), every frame of the run (header CRC, content CRC, padding,
/// dense offsets) and that as many records remain as the header says.
/// </summary>
internal static class DeliverValidator
{
    public static ErrorCode Validate(ReadOnlySpan<byte> frame)
    {
        var deliver = new DeliverFrame(frame);
        if (deliver.ExclusionCount * DeliverFrame.ExclusionSize > new StreamHeader(frame).PayloadLength)
        {
            return ErrorCode.BadPayload;
        }

        if (!deliver.HasValidExclusions)
        {
            return ErrorCode.BadContentCrc;
        }

        ErrorCode error = CheckRun(deliver, out long records);
        if (error != ErrorCode.None)
        {
            return error;
        }

        long excluded = CountExcluded(deliver, records);
        return excluded >= 0 && records - excluded == deliver.Selected ? ErrorCode.None : ErrorCode.BadRecords;
    }

    private static ErrorCode CheckRun(DeliverFrame deliver, out long records)
    {
        records = 0;
        if (deliver.FirstOffset < 0)
        {
            return ErrorCode.BadRecords;
        }

        var run = new RunReader(deliver.Run);
        while (run.TryRead(out StoredFrame stored))
        {
            StreamHeader header = stored.Header;
            if (!header.HasValidHeaderCrc)
            {
                return ErrorCode.BadHeaderCrc;
            }

            if (!header.HasValidContentCrc(stored.Payload))
            {
                return ErrorCode.BadContentCrc;
            }

            if (!stored.HasZeroPadding)
            {
                return ErrorCode.BadPadding;
            }

            if (header.RecordCount == 0 || header.Offset != deliver.FirstOffset + records)
            {
                return ErrorCode.BadRecords;
            }

            records += header.RecordCount;
        }

        return run.Remaining == 0 && records is > 0 and <= uint.MaxValue ? ErrorCode.None : ErrorCode.BadRecords;
    }

    /// <summary>Records of the run that the list excludes; -1 when it is not ascending, overlaps or points behind the run.</summary>
    private static long CountExcluded(DeliverFrame deliver, long records)
    {
        long excluded = 0, end = 0;
        for (int i = 0; i < deliver.ExclusionCount; i++)
        {
            (uint first, uint count) = deliver.Exclusion(i);
            if (count == 0 || first < end || first + (long)count > records)
            {
                return -1;
            }

            end = first + (long)count;
            excluded += count;
        }

        return excluded;
    }
}
