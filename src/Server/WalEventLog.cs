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
        bool isGood = happened.Kind is WalEventKind.Recovered or WalEventKind.Unpoisoned or WalEventKind.DiskRecovered;
        string name = _nameOf?.Invoke(happened.TopicId) ?? happened.TopicId.ToString(CultureInfo.InvariantCulture);
        Log.Wal(log, isGood ? LogLevel.Information : LogLevel.Error, happened.Kind, name, happened.TopicId, happened.Message, happened.Cause);
    }
}
