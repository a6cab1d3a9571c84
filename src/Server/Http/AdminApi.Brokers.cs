using System.Globalization;
using Danube.Fast.LoadManager;
using Danube.Fast.Server.Load;
using Microsoft.AspNetCore.Http;

namespace Danube.Fast.Server.Http;

/// <summary>Changes of brokers: /admin/v1/brokers/ID[/unload|/activate]. Any broker of the cluster takes them.</summary>
internal sealed partial class AdminApi
{
    // Of the topics that keep a broker draining so many are named.
    private const int NamedTopics = 100;

    private Task RouteBrokerAsync(HttpContext context, string method, string path)
    {
        string[] parts = path.Split('/');
        if (!int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int broker) || broker < 1)
        {
            return NothingHereAsync(context);
        }

        return (method, parts.Length, parts.ElementAtOrDefault(1)) switch
        {
            ("DELETE", 1, _) => AnswerChangeAsync(context, "remove_broker", load.Source.RemoveAsync(broker, CancellationToken.None)),
            ("POST", 2, "unload") => SetModeAsync(context, "unload_broker", broker, BrokerMode.Draining),
            ("POST", 2, "activate") => SetModeAsync(context, "activate_broker", broker, BrokerMode.Active),
            (_, 1, _) or (_, 2, "unload" or "activate") => NotAllowedAsync(context),
            _ => NothingHereAsync(context),
        };
    }

    private async Task SetModeAsync(HttpContext context, string what, int broker, BrokerMode mode)
    {
        if (await ReadBodyAsync(context, HttpJson.Default.EmptyReply) is not null)
        {
            await AnswerChangeAsync(context, what, load.Source.SetModeAsync(broker, mode, CancellationToken.None));
        }
    }

    private async Task AnswerChangeAsync(HttpContext context, string what, ValueTask<Answer<ModeChange>> changing)
    {
        Answer<BrokerModeReply> reply = (await changing).TryGet(out ModeChange? change, out Refusal? refusal)
            ? new BrokerModeReply(change.Broker, change.Mode?.ToString().ToLower(CultureInfo.InvariantCulture), change.Topics, [.. change.Stays.Take(NamedTopics)])
            : refusal;
        await AnswerAsync(context, what, reply, ClusterRepliesJson.Default.BrokerModeReply);
    }
}
