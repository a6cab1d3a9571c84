using System.Reflection;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Architecture.Tests;

/// <summary>Values that are on the wire or on disk: they may be added to, never changed.</summary>
public sealed class WireEnumTests
{
    private static readonly Dictionary<Type, string> Pinned = new()
    {
        [typeof(PayloadEncoding)] = "Json=0 Gob=1 Plain=2",
        [typeof(FrameType)] =
            """
            Request=0 Response=1 Event=2 Error=3 Publish=16 PublishAck=17 Deliver=18 Credit=19 Ack=20 Nack=21 Ping=22 Pong=23
            Close=24 EndOfSegment=31
            """,
        [typeof(FrameFlags)] = "None=0 CodecMask=7 ChunkBegin=8 ChunkEnd=16 Bare=32 Sampled=64 OneKey=128",
        [typeof(Codec)] = "None=0 Deflate=1 Brotli=2",
        [typeof(RecordFlags)] = "None=0 Key=1 Attributes=2 EventTime=4 All=7",
        [typeof(NackReason)] = "Unspecified=0 Undecodable=1 Rejected=2",
        [typeof(DurabilityClass)] = "Memory=0 Os=1 Fsync=2 Object=3",
        [typeof(SubscriptionType)] = "Exclusive=0 Shared=1 Failover=2 KeyShared=3",
        [typeof(FailurePolicy)] = "Retry=0 DeadLetter=1 Drop=2 Block=3",
        [typeof(ReturnReason)] = "Unknown=0 Nack=1 AckTimeout=2 ConsumerLost=3 Undecodable=4 Rejected=5 DeadLetterCircle=6",
        [typeof(StartKind)] = "Earliest=0 Latest=1 Offset=2 Time=3",
        [typeof(ErrorCode)] =
            """
            None=0 BadMagic=1 BadVersion=2 BadType=3 BadEncoding=4 ReservedNotZero=5 FrameTooLarge=6 BadHeaderCrc=7
            BadContentCrc=8 BadPadding=9 BadRecords=10 UnknownCodec=11 BadPayload=12 HelloRequired=13 HelloTimeout=14
            UnsupportedVersion=15 UnknownChannel=16 UnknownRequest=17 BadRequest=18 TopicNotFound=19 TopicExists=20
            BadTopicName=21 SubscriptionNotFound=22 SubscriptionBusy=23 SubscriptionTypeMismatch=24 SequenceGap=25
            SequenceMismatch=26 WindowExceeded=27 Fenced=28 BadAck=29 DiskFull=30 DiskLow=31 LogFailed=32 DataDamaged=33
            Draining=34 SlowConsumer=35 IdleTimeout=36 LimitExceeded=37 Unavailable=38 Internal=39 NotOwner=40 TopicDeleted=41
            Unroutable=42 BacklogQuotaExceeded=43 TimedOut=44 Unauthorized=45 BadJsonLine=46 EndOfStream=47 Undecodable=48
            MessageTooLarge=49 OwnerUnproven=50 TopicWaiting=51
            """,
    };

    [Fact]
    public void Values_never_change()
    {
        foreach ((Type type, string expected) in Pinned)
        {
            Assert.Equal($"{type.Name}: {string.Join(' ', expected.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))}",
                $"{type.Name}: {string.Join(' ', Values(type))}");
        }
    }

    /// <summary>An enum with an explicit width is one that is stored or sent.</summary>
    [Fact]
    public void Every_enum_with_a_width_of_its_own_is_pinned()
    {
        Assembly[] assemblies = [typeof(FrameType).Assembly, typeof(DurabilityClass).Assembly];
        IEnumerable<Type> wire = assemblies.SelectMany(a => a.GetExportedTypes())
            .Where(t => t.IsEnum && Enum.GetUnderlyingType(t) != typeof(int));
        Assert.Empty(wire.Except(Pinned.Keys).Select(t => t.FullName));
    }

    private static IEnumerable<string> Values(Type type) =>
        Enum.GetNames(type).Zip(Enum.GetValuesAsUnderlyingType(type).Cast<object>(), (name, value) => $"{name}={value}");
}
