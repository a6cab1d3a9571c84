using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>Sentences for errors that have no story of their own.</summary>
internal static class ErrorTexts
{
    public static string Of(ErrorCode code) => code switch
    {
        ErrorCode.BadMagic => "A frame must start with the bytes 56 32 ('V2').",
        ErrorCode.BadVersion => "The version of a frame is 1, or 2 once HELLO has agreed on it.",
        ErrorCode.BadType => "A client does not send frames of this type.",
        ErrorCode.BadEncoding => "The encoding is unknown: 0 JSON, 1 GOB, 2 PLAIN; version-2 frames are PLAIN.",
        ErrorCode.ReservedNotZero => "Reserved bytes must be zero.",
        ErrorCode.FrameTooLarge => "The frame is longer than HELLO agreed on (64 KiB until HELLO is answered).",
        ErrorCode.BadHeaderCrc => "The header CRC32C does not match bytes 0 to 123 of the header.",
        ErrorCode.BadContentCrc => "The content CRC32C does not match the frame: send it again as it was made.",
        ErrorCode.BadPadding => "The bytes between payload and the next multiple of 8 must be zero.",
        ErrorCode.BadRecords => "The records do not add up to the count and lengths in the header.",
        ErrorCode.UnknownCodec => "The codec is unknown: 0 none, 1 deflate, 2 brotli.",
        ErrorCode.BadPayload => "The payload does not fit what the header names; build the frame as docs/protocol.md describes.",
        ErrorCode.SequenceGap => "The sequence is not the next one of this producer: send the missing frames first.",
        ErrorCode.SequenceMismatch => "The frame overlaps stored ones without repeating one unchanged.",
        ErrorCode.WindowExceeded => "More unacknowledged bytes are on the way than the producer's window allows.",
        ErrorCode.Fenced => "Another connection has taken over under the same name.",
        ErrorCode.DiskFull => "The broker's disk is full: try again when space was freed.",
        ErrorCode.DiskLow => "The broker's disk is nearly full: publishing goes on when space was freed.",
        ErrorCode.MessageTooLarge => "A message of the frame is larger than the topic takes (max_message_bytes): send a smaller one, or raise the limit.",
        ErrorCode.BacklogQuotaExceeded => "The topic's backlog is over its quota (backlog_quota_bytes): publishing goes on when consumers have caught up.",
        ErrorCode.Unavailable => "The broker cannot do it now (it may have too many files open): try again in a moment.",
        ErrorCode.LogFailed => "The log of the topic failed and takes nothing more: see the broker's log.",
        ErrorCode.TopicDeleted => "The topic was deleted.",
        ErrorCode.BadAck => "The acknowledgement names offsets that were not delivered, or does not fit the subscription's type.",
        ErrorCode.NotOwner => "Another broker serves the topic: look it up.",
        ErrorCode.OwnerUnproven => "The broker cannot prove at the moment that it owns the topic: look the topic up, or try again in a moment.",
        ErrorCode.Draining => "The broker is shutting down: connect again in a moment.",
        ErrorCode.SlowConsumer => "The connection does not take what is sent to it.",
        ErrorCode.IdleTimeout => "Nothing was received for too long.",
        _ => "The request failed.",
    };
}
