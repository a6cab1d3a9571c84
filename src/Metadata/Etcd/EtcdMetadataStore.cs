using Danube.Fast.Metadata.Etcd;
using Danube.Fast.Metadata.Etcd.Api;
using Google.Protobuf;

namespace Danube.Fast.Metadata;

/// <summary>
/// The metadata store of a cluster: etcd 3.4 or newer, over its own API. Reads, watches and lease calls are repeated with back-off
/// and on other endpoints; a transaction is sent once, and when its answer is lost its outcome is unknown.
/// Runs on: callers' threads and the pool. Shared with: everybody.
/// </summary>
public sealed partial class EtcdMetadataStore : IMetadataStore
{
    private const int PageEntries = 2000;

    private readonly EtcdOptions _options;
    private readonly EtcdConnection _connection;
    private readonly EtcdCodec _codec;
    private readonly CancellationTokenSource _disposal = new();
    private volatile bool _disposed;

    /// <summary>Connects nowhere yet: the first call does.</summary>
    /// <exception cref="ArgumentException">An option cannot be used.</exception>
    /// <exception cref="IOException">A TLS file cannot be read.</exception>
    public EtcdMetadataStore(EtcdOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options;
        _connection = new EtcdConnection(options);
        _codec = new EtcdCodec(options.Prefix);
    }

    /// <inheritdoc/>
    public async ValueTask<MetadataEntry?> GetAsync(string key, CancellationToken cancellationToken = default)
    {
        RangeResponse response = await RangeAsync(new RangeRequest { Key = _codec.Key(key) }, cancellationToken);
        return response.Kvs.Count == 0 ? null : _codec.Entry(response.Kvs[0]);
    }

    /// <inheritdoc/>
    public async ValueTask<MetadataListing> ListAsync(string prefix, CancellationToken cancellationToken = default)
    {
        MetadataKey.CheckPrefix(prefix);
        while (true)
        {
            try
            {
                return await ListPagesAsync(prefix, cancellationToken);
            }
            catch (GrpcException e) when (e.Code == GrpcCode.OutOfRange)
            {
                // The revision of the first page was compacted before the last page was read: once more from the start.
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask CompactAsync(long revision, CancellationToken cancellationToken = default)
    {
        if (revision <= 1)
        {
            return;
        }

        try
        {
            await CallAsync(c => _connection.RepeatAsync(EtcdMethods.Compact, new CompactionRequest { Revision = revision - 1 },
                CompactionResponse.Parser, c), cancellationToken);
        }
        catch (GrpcException e) when (e.Code == GrpcCode.OutOfRange)
        {
            // Forgotten already, or still to come.
        }
    }

    /// <summary>What each endpoint says of itself; those that do not answer are left out.</summary>
    public async Task<IReadOnlyList<EtcdMemberStatus>> GetStatusAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        EtcdMemberStatus?[] answers = await Task.WhenAll(_connection.Endpoints.Select(StatusAsync));
        return [.. answers.OfType<EtcdMemberStatus>()];

        async Task<EtcdMemberStatus?> StatusAsync(GrpcEndpoint endpoint)
        {
            try
            {
                StatusResponse status = await _connection.AskAsync(
                    endpoint, EtcdMethods.Status, new StatusRequest(), StatusResponse.Parser, cancellationToken);
                return new EtcdMemberStatus(endpoint.Name, status.Version, status.DbSize, status.DbSizeInUse,
                    IsLeader: status.Leader != 0 && status.Leader == status.Header.MemberId);
            }
            catch (GrpcException)
            {
                return null;
            }
        }
    }

    /// <summary>Ends the watches and closes the connections; calls that are running fail.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_disposed)
        {
            _disposed = true;
            await _disposal.CancelAsync();
            _connection.Dispose();
        }
    }

    private async Task<MetadataListing> ListPagesAsync(string prefix, CancellationToken cancellationToken)
    {
        var entries = new List<MetadataEntry>();
        (ByteString first, ByteString end) = _codec.Range(prefix);
        var request = new RangeRequest { Key = first, RangeEnd = end, Limit = PageEntries };
        while (true)
        {
            RangeResponse page = await RangeAsync(request, cancellationToken);
            entries.AddRange(page.Kvs.Select(_codec.Entry));
            if (request.Revision == 0)
            {
                request.Revision = page.Header.Revision;
            }

            if (!page.More)
            {
                // etcd orders by the bytes of UTF-8, .NET's ordinal order is that of UTF-16; they differ for surrogates.
                entries.Sort((a, b) => string.CompareOrdinal(a.Key, b.Key));
                return new MetadataListing(request.Revision, entries);
            }

            request.Key = ByteString.CopyFrom([.. page.Kvs[^1].Key.Span, 0]);
        }
    }

    private async Task<long> RevisionAsync(CancellationToken cancellationToken) =>
        (await RangeAsync(new RangeRequest { Key = _codec.Key("/") }, cancellationToken)).Header.Revision;

    private Task<RangeResponse> RangeAsync(RangeRequest request, CancellationToken cancellationToken) =>
        CallAsync(c => _connection.RepeatAsync(EtcdMethods.Range, request, RangeResponse.Parser, c), cancellationToken);

    // A refusal that no caller expects becomes an IOException; after disposal nothing is waited for.
    private async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposal.Token);
        try
        {
            return await call(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && _disposed)
        {
            throw new ObjectDisposedException(nameof(EtcdMetadataStore));
        }
        catch (GrpcException e) when (e.WasRefused && e.Code is not (GrpcCode.NotFound or GrpcCode.OutOfRange))
        {
            throw new IOException("etcd refused the request. " + e.Message, e);
        }
    }
}
