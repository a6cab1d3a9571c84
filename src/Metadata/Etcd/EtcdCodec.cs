using System.Text;
using Danube.Fast.Metadata.Etcd.Api;
using Google.Protobuf;

namespace Danube.Fast.Metadata.Etcd;

/// <summary>Keys, entries and transactions as etcd has them: every key behind the prefix of the cluster.</summary>
internal sealed class EtcdCodec(string prefix)
{
    private readonly int _prefixBytes = Encoding.UTF8.GetByteCount(prefix);

    public ByteString Key(string key)
    {
        MetadataKey.Encode(key);
        return ByteString.CopyFromUtf8(prefix + key);
    }

    /// <summary>All keys that start with this: from it up to the next string of the same length.</summary>
    public (ByteString First, ByteString End) Range(string start)
    {
        // Not everything that begins with the prefix is this cluster's: "/danube2" is another one.
        byte[] first = Encoding.UTF8.GetBytes(prefix + (start.Length == 0 ? "/" : start));
        var end = (byte[])first.Clone();
        end[^1]++; // UTF-8 has no byte 0xff, so this never overflows.
        return (ByteString.CopyFrom(first), ByteString.CopyFrom(end));
    }

    public string KeyText(ByteString key) => Encoding.UTF8.GetString(key.Span[_prefixBytes..]);

    public MetadataEntry Entry(KeyValue kv) =>
        new(KeyText(kv.Key), kv.Value.Memory, kv.ModRevision, kv.CreateRevision, kv.Version, kv.Lease);

    public TxnRequest Transaction(MetadataTransaction transaction)
    {
        var request = new TxnRequest();
        request.Compare.AddRange(transaction.Conditions.Select(Compare));
        request.Success.AddRange(transaction.Operations.Select(Operation));
        request.Failure.AddRange(transaction.Conditions.Select(c => c.Key).Distinct()
            .Select(k => new RequestOp { RequestRange = new RangeRequest { Key = Key(k) } }));
        return request;
    }

    /// <summary>The events of an answer, those of one revision together.</summary>
    public IEnumerable<MetadataRevision> Revisions(IEnumerable<Event> events) => events
        .GroupBy(e => e.Kv.ModRevision)
        .Select(g => new MetadataRevision(g.Key, [.. g.Select(Change)]));

    private MetadataChange Change(Event e) =>
        e.Type == Event.Types.EventType.Put ? MetadataChange.Put(Entry(e.Kv)) : MetadataChange.Delete(KeyText(e.Kv.Key));

    private Compare Compare(MetadataCondition condition)
    {
        var compare = new Compare { Key = Key(condition.Key), Result = Api.Compare.Types.CompareResult.Equal };
        switch (condition.Field)
        {
            case MetadataField.CreatedRevision:
                compare.Target = Api.Compare.Types.CompareTarget.Create;
                compare.CreateRevision = condition.Expected;
                break;
            case MetadataField.Revision:
                compare.Target = Api.Compare.Types.CompareTarget.Mod;
                compare.ModRevision = condition.Expected;
                break;
            default:
                compare.Target = Api.Compare.Types.CompareTarget.Version;
                compare.Version = condition.Expected;
                break;
        }

        return compare;
    }

    private RequestOp Operation(MetadataOperation operation) => operation.Kind == MetadataChangeKind.Put
        ? new RequestOp
        {
            RequestPut = new PutRequest
            {
                Key = Key(operation.Key),
                Value = UnsafeByteOperations.UnsafeWrap(operation.Value), // Copied when the transaction was built; never changed since.
                Lease = operation.LeaseId,
            },
        }
        : new RequestOp { RequestDeleteRange = new DeleteRangeRequest { Key = Key(operation.Key) } };
}
