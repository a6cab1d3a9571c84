using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json.Serialization;

namespace Danube.Fast.Server.Load;

/// <summary>What a broker says of itself to another one.</summary>
/// <param name="Broker">Id.</param>
/// <param name="ProofAgeSeconds">Since it last proved that it is registered; null without a cluster.</param>
/// <param name="LeadsSince">Since when it leads; null when it does not.</param>
internal sealed record PeerAnswer(long Broker, double? ProofAgeSeconds, DateTimeOffset? LeadsSince);

/// <summary>Calls of other brokers' HTTP ports. Runs on: HTTP requests.</summary>
internal sealed class PeerCalls(IClusterSource source) : IDisposable
{
    /// <summary>Where a broker answers with a <see cref="PeerAnswer"/>.</summary>
    public const string SelfPath = "/admin/v1/cluster/self";

    // Whoever does not answer by then is shown as silent; the person at the terminal waits for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        ConnectTimeout = Patience,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
    });

    /// <summary>The client for calls that are passed on.</summary>
    public HttpClient Http => _http;

    /// <summary>What this broker says of itself.</summary>
    public PeerAnswer Self() => new(source.Broker, source.ProofAge is { } age ? Math.Round(age.TotalSeconds, 1) : null, source.LeadsSince);

    /// <summary>Asks all registered brokers but this one at the same time; who does not answer is not in the answer.</summary>
    public async Task<IReadOnlyDictionary<long, PeerAnswer>> AskAsync(IReadOnlyList<ClusterMember> members, CancellationToken cancellationToken)
    {
        var answers = new ConcurrentDictionary<long, PeerAnswer>();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        await Task.WhenAll(members.Where(m => m.IsRegistered && m.Broker != source.Broker && m.Http is not null).Select(AskAsync));
        return answers;

        async Task AskAsync(ClusterMember member)
        {
            try
            {
                PeerAnswer? answer = await _http.GetFromJsonAsync($"http://{member.Http}{SelfPath}", PeerJson.Default.PeerAnswer, patience.Token);
                if (answer?.Broker == member.Broker)
                {
                    answers[member.Broker] = answer;
                }
            }
            catch (Exception e) when (e is HttpRequestException or System.Text.Json.JsonException or UriFormatException or NotSupportedException
                || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                // Silent.
            }
        }
    }

    public void Dispose() => _http.Dispose();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PeerAnswer))]
internal sealed partial class PeerJson : JsonSerializerContext;
