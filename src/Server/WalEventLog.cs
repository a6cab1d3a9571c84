using System.Globalization;
using Danube.Fast.Wal;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server;

/// <summary>Writes the events of the log store, with the topic's name once the catalogue is read. Runs on: any thread of the log store.</summary>
internal sealed class WalEventLog(ILogger log)
{
    private volatile Func<ulong, string>? _nameOf;

    /// <summary>Gives the name of a log.</summary>
    public Func<ulong, string>? NameOf
    {
        set => _nameOf = value;
    }

    public void Write(WalEvent happened)
    {
        LogLevel level = happened.Kind switch
        {
            WalEventKind.Recovered or WalEventKind.Unpoisoned or WalEventKind.DiskRecovered => LogLevel.Information,
            WalEventKind.TornTail => LogLevel.Warning, // As after every crash in the middle of an append.
            _ => LogLevel.Error,
        };
        string name = happened.TopicId == 0 ? "all logs" : _nameOf?.Invoke(happened.TopicId) ?? happened.TopicId.ToString(CultureInfo.InvariantCulture);
        string text = happened.Kind == WalEventKind.Damaged
            ? happened.Message + " Consumers pass them over, the log goes on behind them. Look at the kernel's log and the disk, restore the messages from where they came from."
            : happened.Message;
        Log.Wal(log, level, happened.Kind, name, happened.TopicId, text, happened.Cause);
    }
}
