using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;
using Microsoft.AspNetCore.Http;

namespace Danube.Fast.Server.Http;

/// <summary>Namespaces and their policies: /admin/v1/namespaces[/NAMESPACE].</summary>
internal sealed partial class AdminApi
{
    private Task ListNamespacesAsync(HttpContext context)
    {
        NamespaceReply[] all = [.. topics.ListNamespaces().Select(n => new NamespaceReply(n.Namespace, n.Topics, topics.DescribeNamespace(n.Namespace).Value!))];
        return AnswerAsync(context, "list_namespaces", new NamespacesReply(all), HttpJson.Default.NamespacesReply);
    }

    private Task RouteNamespaceAsync(HttpContext context, string method, string ns) => method switch
    {
        "GET" => AnswerAsync(context, "describe_namespace", topics.DescribeNamespace(ns), HttpJson.Default.NamespaceSpec),
        "PUT" => SetNamespaceAsync(context, ns),
        _ => NotAllowedAsync(context),
    };

    private async Task SetNamespaceAsync(HttpContext context, string ns)
    {
        if (await ReadBodyAsync(context, HttpJson.Default.NamespaceSpec) is { } spec)
        {
            Answer<NamespaceSpec> set = spec.Namespace.Length == 0 || spec.Namespace == ns
                ? await topics.SetNamespaceAsync(spec with { Namespace = ns }, isWhole: true, CancellationToken.None)
                : new Refusal(ErrorCode.BadRequest, $"The body names namespace '{TopicRegistry.Shorten(spec.Namespace)}', the address '{TopicRegistry.Shorten(ns)}'.");
            await AnswerAsync(context, "set_namespace_policy", set, HttpJson.Default.NamespaceSpec);
        }
    }
}
