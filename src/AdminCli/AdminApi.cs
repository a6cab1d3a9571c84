using System.Net;
using System.Text;
using System.Text.Json;

namespace Danube.Fast.AdminCli;

/// <summary>The broker did not do what was asked; the message is for the person at the terminal.</summary>
internal sealed class AdminException(string message, HttpStatusCode? status = null) : Exception(message)
{
    /// <summary>What the broker answered; null when it was not a refusal of the broker.</summary>
    public HttpStatusCode? Status => status;
}

/// <summary>Calls of the HTTP admin API. Replies stay JSON: a broker newer than this program may say more than it knows.</summary>
internal sealed class AdminApi : IDisposable
{
    private readonly HttpClient _http;

    public AdminApi(Uri url)
    {
        _http = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(30) };
    }

    public Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);

    /// <summary>The reply; an undefined element when there is none, because the broker is of a version without the address, say.</summary>
    public async Task<JsonElement> TryGetAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await GetAsync(path, cancellationToken);
        }
        catch (AdminException)
        {
            return default;
        }
    }

    /// <summary>The reply; an undefined element when the broker says that there is no such thing. Not to know it is a failure.</summary>
    public async Task<JsonElement> FindAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await GetAsync(path, cancellationToken);
        }
        catch (AdminException e) when (e.Status == HttpStatusCode.NotFound)
        {
            return default;
        }
    }

    public Task<JsonElement> PostAsync(string path, string json, CancellationToken cancellationToken) =>
        SendAsync(
            new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") },
            cancellationToken);

    public Task<JsonElement> PutAsync(string path, string json, CancellationToken cancellationToken) =>
        SendAsync(
            new HttpRequestMessage(HttpMethod.Put, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") },
            cancellationToken);

    public Task<JsonElement> DeleteAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Delete, path), cancellationToken);

    /// <summary>Status and text of a health address, whatever they are.</summary>
    public async Task<(HttpStatusCode Status, string Text)> ProbeAsync(string path, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await ExchangeAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);
        return (response.StatusCode, (await response.Content.ReadAsStringAsync(cancellationToken)).Trim());
    }

    public void Dispose() => _http.Dispose();

    private async Task<JsonElement> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await ExchangeAsync(request, cancellationToken);
        string text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new AdminException(ErrorText(text) ?? $"the broker answered {(int)response.StatusCode} {response.ReasonPhrase}.", response.StatusCode);
        }

        if (text.Length == 0)
        {
            text = "{}";
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw new AdminException($"{_http.BaseAddress} did not answer with JSON: is this the HTTP address of a broker?");
        }
    }

    private async Task<HttpResponseMessage> ExchangeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            try
            {
                return await _http.SendAsync(request, cancellationToken);
            }
            catch (HttpRequestException e)
            {
                throw new AdminException(
                    $"no broker answers at {_http.BaseAddress} ({e.Message}). Start one with 'danube server', or name its address with --url.");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new AdminException($"the broker at {_http.BaseAddress} did not answer within {_http.Timeout.TotalSeconds:0} s.");
            }
        }
    }

    /// <summary>Sentence and code of an error payload, or null when the text is none.</summary>
    private static string? ErrorText(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement root = document.RootElement;
            string message = root.Text("message");
            message = message.Length > 0 ? message : root.Text("error");
            string code = root.Text("code");
            return message.Length == 0 ? null : code.Length == 0 ? message : $"{message} ({code})";
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
