using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>Message statistics: what this connection notes, and the requests that read those of all.</summary>
internal sealed partial class Session
{
    private const int MostPeers = 10_000;

    private long _firstMessageMs;

    // When the piece at hand was received, by the clock of latencies.
    private long _receivedAt;

    /// <summary>The client's name, or one made of the connection's number.</summary>
    public string PeerName => _clientName ?? $"connection-{_connection.Id}";

    /// <summary>When the first bytes came, Unix milliseconds; 0 = none have.</summary>
    public long FirstMessageMs => Volatile.Read(ref _firstMessageMs);

    /// <summary>When bytes last came, Unix milliseconds; 0 = none have.</summary>
    public long LastMessageMs => FirstMessageMs == 0 ? 0 : DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - (Environment.TickCount64 - _connection.LastReceiveMs);

    private void NotePiece()
    {
        _receivedAt = Stopwatch.GetTimestamp();
        if (_firstMessageMs == 0 && _connection.BytesReceived > 0)
        {
            Volatile.Write(ref _firstMessageMs, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        }
    }

    private ValueTask<Refusal?> GetMessageStatsAsync(Envelope request)
    {
        MessageStatsRequest wish = Read(request, ControlJson.Default.MessageStatsRequest);
        if (wish.MaxPeers is < 1 or > MostPeers)
        {
            return ValueTask.FromResult<Refusal?>(new Refusal(ErrorCode.BadRequest, $"max_peers is {wish.MaxPeers}, but it must be from 1 to {MostPeers}."));
        }

        Reply(request, MessageStatistics.Stats(_services.Sessions(), wish.MaxPeers), ControlJson.Default.MessageStatsReply);
        return ValueTask.FromResult<Refusal?>(null);
    }

    private ValueTask<Refusal?> GetMessageCountAsync(Envelope request)
    {
        Reply(request, MessageStatistics.Count(_services.Sessions()), ControlJson.Default.MessageCountReply);
        return ValueTask.FromResult<Refusal?>(null);
    }
}
