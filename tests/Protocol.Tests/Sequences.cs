using System.Buffers;

namespace Danube.Fast.Protocol.Tests;

/// <summary>Bytes in pieces, and the check behind the scan by frame type.</summary>
internal static class Sequences
{
    public static ReadOnlySequence<byte> Split(byte[] bytes, params int[] cuts)
    {
        var first = new Part(bytes.AsMemory(0, cuts[0]), 0);
        Part last = first;
        for (int i = 0; i < cuts.Length; i++)
        {
            int end = i + 1 < cuts.Length ? cuts[i + 1] : bytes.Length;
            last = last.Append(bytes.AsMemory(cuts[i], end - cuts[i]));
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    public static ErrorCode Validate(ReadOnlySpan<byte> bytes, ScannedFrame scanned)
    {
        ReadOnlySpan<byte> frame = bytes[..scanned.Length];
        if (scanned.Version == 1)
        {
            EnvelopeCodec.TryDecode(frame, EnvelopeMode.Strict, int.MaxValue, out _, out ErrorCode error);
            return error;
        }

        return scanned.Type == FrameType.Publish ? PublishValidator.Validate(frame, ProtocolLimits.DefaultMaxFrame) : StreamFrameValidator.Validate(frame);
    }

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public Part Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Part(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
