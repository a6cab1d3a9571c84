using System.Buffers;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// Limits of the topic's policy that are checked when something is published or attached.
public sealed partial class Topic
{
    private const long SmallestWindowBytes = 64 * 1024, UsualMessageBytes = 1024;

    private readonly Lock _consumerLimit = new();

    /// <summary>
    /// Adds a consumer within the topic's limit; <see cref="Subscription.AddConsumer"/> says the rest. All consumers are added through this
    /// method, one at a time, so the limit is exact.
    /// </summary>
    public ErrorCode AddConsumer(Subscription subscription, string consumerName, int priority, uint channel, IFrameSink sink, out Consumer? consumer, out string message)
    {
        lock (_consumerLimit)
        {
            if (!HasRoomForConsumer(subscription, consumerName, out message))
            {
                consumer = null;
                return ErrorCode.LimitExceeded;
            }

            return subscription.AddConsumer(consumerName, priority, channel, sink, out consumer, out message);
        }
    }

    /// <summary>
    /// False, with a sentence for the error frame, when the topic has as many consumers as it takes. To ask before a subscription is made, which
    /// a refused consumer would leave behind: <see cref="AddConsumer"/> has the last word.
    /// </summary>
    /// <param name="subscription">Null when there is none of that name yet.</param>
    /// <param name="consumerName">Who takes the place of a connected one needs no room.</param>
    /// <param name="message">Empty when there is room.</param>
    public bool HasRoomForConsumer(Subscription? subscription, string consumerName, out string message)
    {
        message = "";
        int most = Options.MaxConsumers;
        if (most <= 0 || subscription?.WouldTakeOver(consumerName) == true)
        {
            return true;
        }

        int count = 0;
        foreach (Subscription each in _active)
        {
            count += each.ConsumerCount;
        }

        message = count < most ? "" : $"Topic {Name} has {count} consumers, the most it takes (max_consumers): close one, or raise the limit.";
        return count < most;
    }

    /// <summary>
    /// A producer's window: no more than a second of the rate, so that acknowledgements are not withheld for long. A window has no count of
    /// messages: they are taken to have 1 KiB.
    /// </summary>
    internal static long WindowOf(TopicOptions options) => Math.Min(
        options.ProducerWindowBytes,
        Math.Max(SmallestWindowBytes, Math.Min(SecondOf(options.PublishRateBytes, 1), SecondOf(options.PublishRateMessages, UsualMessageBytes))));

    private static long SecondOf(long rate, long each) => rate is > 0 and < long.MaxValue / UsualMessageBytes ? rate * each : long.MaxValue;

    private bool IsLimited(long messageBytes) => Options.MaxMessageBytes is > 0 and long most && messageBytes > most;

    /// <summary>Where the first frame with too large a message begins in a run; -1 when there is none. Before the append lock is taken.</summary>
    private int FindOversized(ReadOnlySpan<byte> run)
    {
        long most = Options.MaxMessageBytes;
        if (most <= 0)
        {
            return -1;
        }

        for (int at = 0; at < run.Length;)
        {
            var header = new StreamHeader(run[at..]);
            int length = header.FrameLength;
            if (header.RawLength > most && LargestMessage(run.Slice(at, length)) > most)
            {
                return at;
            }

            at += length;
        }

        return -1;
    }

    // Only for frames that as a whole are above the limit: a batch of small messages must pass.
    private static long LargestMessage(ReadOnlySpan<byte> frame)
    {
        var header = new StreamHeader(frame);
        if ((header.Flags & FrameFlags.Bare) != 0 || header.IsChunk)
        {
            // The first chunk of a large message names the length of the whole.
            return header.RawLength;
        }

        ReadOnlySpan<byte> packed = frame.Slice(ProtocolLimits.HeaderSize, (int)header.PayloadLength);
        if (header.Codec == Codec.None)
        {
            return LargestRecord(packed);
        }

        if (header.RecordCount == 1)
        {
            // Without a look inside: its key and attributes count as well.
            return header.RawLength - ProtocolLimits.MinRecordSize;
        }

        byte[]? scratch = null;
        var reader = new RunReader(frame);
        long largest = reader.TryRead(out StoredFrame whole) && Compression.TryUnpack(whole, ProtocolLimits.MaxNegotiableFrame, ref scratch, out ReadOnlySpan<byte> records)
            ? LargestRecord(records)
            : header.RawLength;
        if (scratch is not null)
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }

        return largest;
    }

    private static long LargestRecord(ReadOnlySpan<byte> records)
    {
        long largest = 0;
        var reader = new RecordReader(records);
        while (reader.TryRead(out Record record))
        {
            largest = Math.Max(largest, record.Payload.Length);
        }

        return largest;
    }
}
