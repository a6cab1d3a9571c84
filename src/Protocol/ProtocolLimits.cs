namespace Danube.Fast.Protocol;

/// <summary>Sizes that both sides of a connection agree on. All values are bytes unless the name says otherwise.</summary>
public static class ProtocolLimits
{
    /// <summary>Length of every frame header, both versions.</summary>
    public const int HeaderSize = 128;

    /// <summary>Version-2 frames start at multiples of this and are padded with zero bytes up to the next one.</summary>
    public const int FrameAlignment = 8;

    /// <summary>Payload limit of a frame until HELLO has been answered.</summary>
    public const int MaxFrameBeforeHello = 64 * 1024;

    /// <summary>Default limit of a whole frame (header, payload and padding).</summary>
    public const int DefaultMaxFrame = 8 * 1024 * 1024;

    /// <summary>Largest frame limit that a HELLO can agree on.</summary>
    public const int MaxNegotiableFrame = 64 * 1024 * 1024;

    /// <summary>Records in one frame: 1 to this.</summary>
    public const int MaxRecordsPerFrame = 65_536;

    /// <summary>Bytes of a packed record besides its parts: length (4) and flags (1).</summary>
    public const int MinRecordSize = 5;

    /// <summary>Longest key and longest attribute value.</summary>
    public const int MaxKeyLength = 65_535;

    /// <summary>Unacknowledged bytes a producer may have on the way, as returned by create-producer.</summary>
    public const int DefaultProducerWindow = 8 * 1024 * 1024;

    /// <summary>Exclusion ranges in one deliver frame: 0 to this.</summary>
    public const int MaxExclusionsPerDeliver = 65_535;

    /// <summary>Rounds <paramref name="length"/> up to the frame alignment.</summary>
    public static int Align(int length) => (length + (FrameAlignment - 1)) & ~(FrameAlignment - 1);
}
