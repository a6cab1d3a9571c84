using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>Looks for places where a stored frame may begin.</summary>
internal static class FrameSearch
{
    /// <summary>Bytes skipped at a place that cannot be read.</summary>
    public const int UnreadableStep = 4096;

    /// <summary>
    /// Moves <paramref name="at"/> (a multiple of 8) to the next place in front of <paramref name="end"/> where the first bytes of a frame
    /// stand. Holes are skipped without being read. Whoever calls checks the frame.
    /// </summary>
    public static bool TryNext(FileWindow window, WalFile file, long end, ref long at, ref bool onlyZeros)
    {
        at = Math.Max(at, Floor(file.NextData(at)));
        while (at < end)
        {
            ReadOnlySpan<byte> bytes = window.GetSome(at);
            if (bytes.IsEmpty)
            {
                if (window.ReadError is null)
                {
                    return false;
                }

                onlyZeros = false;
                at = (at + UnreadableStep) & -UnreadableStep;
                continue;
            }

            if (!bytes.ContainsAnyExcept((byte)0))
            {
                if (bytes.Length < ProtocolLimits.FrameAlignment)
                {
                    return false;
                }

                long data = file.NextData(at + bytes.Length);
                at = Math.Max(at + Floor(bytes.Length), Floor(data));
                continue;
            }

            onlyZeros = false;
            int hit = bytes.IndexOf(FrameCheck.Prologue);
            if (hit >= 0 && (at + hit) % ProtocolLimits.FrameAlignment == 0)
            {
                at += hit;
                return at < end;
            }

            // Behind the false hit, or to the last bytes that may be the beginning of one.
            long skip = hit >= 0 ? hit + 1 : Math.Max(1, bytes.Length - FrameCheck.Prologue.Length + 1);
            at = Floor(at + skip + (ProtocolLimits.FrameAlignment - 1));
        }

        return false;
    }

    private static long Floor(long position) => position & -ProtocolLimits.FrameAlignment;
}
