using System.Globalization;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>The statistics that peers can ask for, put together from the counters of connections. Runs on: control requests.</summary>
internal static class MessageStatistics
{
    public static MessageStatsReply Stats(SessionTable sessions, int maxPeers)
    {
        MessageStats total = Total(sessions);
        List<IGrouping<string, Session>> peers =
        [
            .. sessions.Sessions.GroupBy(s => s.PeerName, StringComparer.Ordinal)
                .OrderByDescending(p => p.Sum(s => s.Connection.BytesReceived + s.Connection.Output.BytesSent)).ThenBy(p => p.Key, StringComparer.Ordinal),
        ];
        return new MessageStatsReply
        {
            Total = total,
            PerProcess = peers.Take(maxPeers).ToDictionary(p => p.Key, OfPeer, StringComparer.Ordinal),
            EncodingDistribution = total.EncodingDistribution,
            TotalBytesSent = total.TotalBytesSent,
            TotalBytesReceived = total.TotalBytesReceived,
            PeersOmitted = Math.Max(0, peers.Count - maxPeers),
        };
    }

    public static MessageCountReply Count(SessionTable sessions)
    {
        MessageStats total = Total(sessions);
        return new MessageCountReply
        {
            Count = total.TotalSent + total.TotalReceived,
            TotalBytesSent = total.TotalBytesSent,
            TotalBytesReceived = total.TotalBytesReceived,
        };
    }

    private static MessageStats Total(SessionTable sessions)
    {
        (long bytesIn, long bytesOut, _) = sessions.Bytes();
        (long first, long last) = sessions.MessageTimes();
        return Of(sessions.Frames(), bytesIn, bytesOut, first, last);
    }

    // A name may be given on several connections.
    private static MessageStats OfPeer(IEnumerable<Session> sessions)
    {
        var frames = new FrameCounters();
        long bytesIn = 0, bytesOut = 0, first = 0, last = 0;
        foreach (Session session in sessions)
        {
            frames.Add(session.Counters);
            bytesIn += session.Connection.BytesReceived;
            bytesOut += session.Connection.Output.BytesSent;
            first = first == 0 ? session.FirstMessageMs : session.FirstMessageMs == 0 ? first : Math.Min(first, session.FirstMessageMs);
            last = Math.Max(last, session.LastMessageMs);
        }

        return Of(frames, bytesIn, bytesOut, first, last);
    }

    private static MessageStats Of(FrameCounters frames, long bytesIn, long bytesOut, long firstMs, long lastMs) => new()
    {
        TotalSent = frames.AllSent,
        TotalReceived = frames.AllReceived,
        RequestCount = Both(frames, FrameType.Request),
        ResponseCount = Both(frames, FrameType.Response),
        EventCount = Both(frames, FrameType.Event),
        ErrorCount = Both(frames, FrameType.Error),
        FirstMessageTime = TimeOf(firstMs),
        LastMessageTime = TimeOf(lastMs),
        TotalBytesSent = bytesOut,
        TotalBytesReceived = bytesIn,
        SentByType = ByType(frames.Sent),
        ReceivedByType = ByType(frames.Received),
        EncodingDistribution = FrameNames.Encodings.ToDictionary(e => e.Name, e => frames.ReceivedWith(e.Encoding) + frames.SentWith(e.Encoding)),
    };

    private static long Both(FrameCounters frames, FrameType type) => frames.Sent(type) + frames.Received(type);

    private static Dictionary<string, long> ByType(Func<FrameType, long> count) =>
        FrameNames.Types.Select(t => (t.Name, Count: count(t.Type))).Where(t => t.Count > 0).ToDictionary(t => t.Name, t => t.Count);

    private static string? TimeOf(long unixMs) =>
        unixMs == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(unixMs).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
