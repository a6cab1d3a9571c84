using System.Net.Security;
using Danube.Fast.Metadata.Etcd.Api;
using Google.Protobuf;

namespace Danube.Fast.Metadata.Etcd;

/// <summary>
/// The members of an etcd cluster as one place to call: uses one endpoint until it fails, then the next; logs in when a user is
/// configured. Only calls that may be made twice are repeated.
/// Runs on: any thread. Shared with: all callers of a store.
/// </summary>
internal sealed class EtcdConnection : IDisposable
{
    private readonly EtcdOptions _options;
    private readonly GrpcEndpoint[] _endpoints;
    private readonly SemaphoreSlim _login = new(1, 1);
    private volatile string? _token;
    private volatile int _current;

    public EtcdConnection(EtcdOptions options)
    {
        _options = options;
        SslClientAuthenticationOptions? tls = EtcdTls.From(options);
        _endpoints = [.. options.Endpoints.Select(e => new GrpcEndpoint(e, tls, options.ProbeInterval, options.AttemptTimeout))];
        _current = Random.Shared.Next(_endpoints.Length);
    }

    public IReadOnlyList<GrpcEndpoint> Endpoints => _endpoints;

    /// <summary>A call that may be made twice: tried with back-off until it is answered or the time for it is over.</summary>
    /// <exception cref="MetadataUnavailableException">No answer in time.</exception>
    /// <exception cref="GrpcException">The server refused.</exception>
    public async Task<T> RepeatAsync<T>(string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        long started = TimeProvider.System.GetTimestamp();
        var backOff = default(BackOff);
        while (true)
        {
            int endpoint = _current;
            string? token = null;
            try
            {
                token = await TokenAsync(_endpoints[endpoint], cancellationToken);
                return await _endpoints[endpoint].CallAsync(method, request, parser, token, _options.AttemptTimeout, cancellationToken);
            }
            catch (GrpcException e) when (e.MayPass || (e.WantsLogin && token is not null))
            {
                Leave(endpoint, token, e);
                if (TimeProvider.System.GetElapsedTime(started) > _options.RetryTimeout)
                {
                    throw new MetadataUnavailableException("etcd gave no answer. " + e.Message, e);
                }
            }

            await backOff.WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// A call that must not be made twice: another endpoint is tried only as long as the request certainly reached nobody, or the
    /// server only wanted a new login.
    /// </summary>
    /// <exception cref="GrpcException">Refused, or no answer: then nobody knows whether it was made.</exception>
    public async Task<T> OnceAsync<T>(string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        bool loggedInAgain = false;
        for (int unreached = 0; ;)
        {
            int endpoint = _current;
            string? token = null;
            bool mayHaveBeenMade = false;
            try
            {
                token = await TokenAsync(_endpoints[endpoint], cancellationToken);
                mayHaveBeenMade = true;
                return await _endpoints[endpoint].CallAsync(method, request, parser, token, _options.TransactionTimeout, cancellationToken);
            }
            catch (GrpcException e)
            {
                Leave(endpoint, token, e);
                bool again = (e.WantsLogin && token is not null && !loggedInAgain)
                    || (e.MayPass && (!e.WasSent || !mayHaveBeenMade) && ++unreached < _endpoints.Length);
                if (!again)
                {
                    throw;
                }

                loggedInAgain |= e.WantsLogin;
            }
        }
    }

    /// <summary>Opens a stream on the current endpoint, one attempt; a failure moves on to the next endpoint.</summary>
    /// <exception cref="GrpcException">It could not be opened.</exception>
    public async Task<EtcdStream<T>> OpenAsync<T>(
        string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        int endpoint = _current;
        string? token = null;
        try
        {
            token = await TokenAsync(_endpoints[endpoint], cancellationToken);
            GrpcStream<T> stream =
                await _endpoints[endpoint].OpenAsync(method, request, parser, token, _options.AttemptTimeout, cancellationToken);
            return new EtcdStream<T>(stream, e => Leave(endpoint, token, e));
        }
        catch (GrpcException e)
        {
            Leave(endpoint, token, e);
            throw;
        }
    }

    /// <summary>One attempt at one endpoint.</summary>
    /// <exception cref="GrpcException">No answer.</exception>
    public async Task<T> AskAsync<T>(
        GrpcEndpoint endpoint, string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        string? token = await TokenAsync(endpoint, cancellationToken);
        return await endpoint.CallAsync(method, request, parser, token, _options.AttemptTimeout, cancellationToken);
    }

    public void Dispose()
    {
        foreach (GrpcEndpoint endpoint in _endpoints)
        {
            endpoint.Dispose();
        }
    }

    // Only the first of several calls that fail on the same endpoint moves on.
    private void Leave(int endpoint, string? token, GrpcException e)
    {
        if (e.WantsLogin)
        {
            if (ReferenceEquals(_token, token))
            {
                _token = null;
            }
        }
        else if (e.MayPass)
        {
            Interlocked.CompareExchange(ref _current, (endpoint + 1) % _endpoints.Length, endpoint);
        }
    }

    private async ValueTask<string?> TokenAsync(GrpcEndpoint endpoint, CancellationToken cancellationToken)
    {
        if (_options.User is null || _token is not null)
        {
            return _token;
        }

        await _login.WaitAsync(cancellationToken);
        try
        {
            if (_token is null)
            {
                var request = new AuthenticateRequest { Name = _options.User, Password = _options.Password };
                AuthenticateResponse response = await endpoint.CallAsync(EtcdMethods.Authenticate, request, AuthenticateResponse.Parser,
                    null, _options.AttemptTimeout, cancellationToken);
                _token = response.Token;
            }

            return _token;
        }
        finally
        {
            _login.Release();
        }
    }
}

/// <summary>A stream of one endpoint; its failures move the connection on to the next endpoint.</summary>
internal sealed class EtcdStream<T>(GrpcStream<T> stream, Action<GrpcException> onFailure) : IDisposable
    where T : class, IMessage<T>
{
    public async Task<T> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAsync(cancellationToken);
        }
        catch (GrpcException e)
        {
            onFailure(e);
            throw;
        }
    }

    public void Dispose() => stream.Dispose();
}
