using System.Net.Http.Json;
using System.Text.Json;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>What an operator does with a cluster over HTTP, through whichever broker answers.</summary>
internal static class ClusterOperator
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>Begins to drain a broker.</summary>
    public static Task UnloadAsync(this ClusterUnderTest cluster, int broker) => cluster.PostAsync($"brokers/{broker}/unload");

    /// <summary>Takes that back.</summary>
    public static Task ActivateAsync(this ClusterUnderTest cluster, int broker) => cluster.PostAsync($"brokers/{broker}/activate");

    /// <summary>active, draining or drained.</summary>
    public static async Task<string> ModeAsync(this ClusterUnderTest cluster, int broker)
    {
        if (await cluster.Store.GetAsync($"/cluster/modes/{broker}") is not { } entry)
        {
            return "active";
        }

        using JsonDocument mode = JsonDocument.Parse(entry.Value);
        return mode.RootElement.GetProperty("mode").ToString().ToLowerInvariant();
    }

    /// <summary>The time of a broker's wall clock, as its answers carry it.</summary>
    public static async Task<DateTimeOffset> ClockAsync(this ClusterUnderTest cluster, int broker)
    {
        using HttpResponseMessage answer = await Http.GetAsync(new Uri($"http://{cluster.Running[broker].Http}/livez"));
        return answer.Headers.Date!.Value;
    }

    // These calls may be made twice.
    private static Task PostAsync(this ClusterUnderTest cluster, string path) => ClusterUnderTest.UntilAsync(path, async () =>
    {
        foreach (BrokerProcess broker in cluster.Running.Values.ToArray())
        {
            try
            {
                using HttpResponseMessage answer = await Http.PostAsJsonAsync(new Uri($"http://{broker.Http}/admin/v1/{path}"), new object());
                if (answer.IsSuccessStatusCode)
                {
                    return true;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // Another one, or again.
            }
        }

        return false;
    });
}
