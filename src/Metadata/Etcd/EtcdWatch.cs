using Danube.Fast.Metadata.Etcd.Api;
using Google.Protobuf;

namespace Danube.Fast.Metadata.Etcd;

/// <summary>
/// One watch that goes on for ever: when its stream ends for whatever reason, it opens another behind the last revision it has
/// handed out. Only the loss of that revision by compaction ends it.
/// Runs on: its reader. Shared with: nobody.
/// </summary>
internal sealed class EtcdWatch(EtcdConnection connection, EtcdCodec codec, string prefix, long fromRevision, TimeSpan openTimeout)
    : IDisposable
{
    private long _next = fromRevision;
    private EtcdStream<WatchResponse>? _stream;
    private BackOff _backOff;

    /// <summary>The next revisions, at least one.</summary>
    /// <exception cref="MetadataCompactedException">The next revision is forgotten.</exception>
    /// <exception cref="IOException">etcd refused to watch.</exception>
    public async Task<IReadOnlyList<MetadataRevision>> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                _stream ??= await OpenAsync(cancellationToken);
                WatchResponse response = await _stream.ReadAsync(cancellationToken);
                ThrowIfCanceled(response);

                // An event that was already seen would come from a stream that began too early; none is handed out twice.
                MetadataRevision[] revisions = [.. codec.Revisions(response.Events).Where(r => r.Revision >= _next)];
                if (revisions.Length > 0)
                {
                    _backOff.Reset();
                    _next = revisions[^1].Revision + 1;
                    return revisions;
                }
            }
            catch (GrpcException e) when (e.MayPass || e.WantsLogin)
            {
                Close();
                await _backOff.WaitAsync(cancellationToken);
            }
            catch (GrpcException e)
            {
                throw new IOException("etcd refused the watch. " + e.Message, e);
            }
        }
    }

    public void Dispose() => Close();

    private async Task<EtcdStream<WatchResponse>> OpenAsync(CancellationToken cancellationToken)
    {
        (ByteString first, ByteString end) = codec.Range(prefix);
        var create = new WatchCreateRequest { Key = first, RangeEnd = end, StartRevision = _next };
        EtcdStream<WatchResponse> stream = await connection.OpenAsync(
            EtcdMethods.Watch, new WatchRequest { CreateRequest = create }, WatchResponse.Parser, cancellationToken);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(openTimeout);
        try
        {
            ThrowIfCanceled(await stream.ReadAsync(deadline.Token));
            return stream;
        }
        catch (Exception e)
        {
            stream.Dispose();
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                throw new GrpcException(GrpcCode.DeadlineExceeded, "etcd did not begin the watch in time.", inner: e);
            }

            throw;
        }
    }

    private void ThrowIfCanceled(WatchResponse response)
    {
        if (response.Canceled)
        {
            throw response.CompactRevision > 0
                ? new MetadataCompactedException(_next, response.CompactRevision + 1)
                : new GrpcException(GrpcCode.Unavailable, "etcd ended the watch: " + response.CancelReason);
        }
    }

    private void Close()
    {
        _stream?.Dispose();
        _stream = null;
    }
}
