namespace Danube.Fast.Metadata;

/// <summary>What a member of etcd says of itself.</summary>
/// <param name="Endpoint">Host and port.</param>
/// <param name="Version">Version of etcd.</param>
/// <param name="DbBytes">Bytes of its database file; what the quota limits.</param>
/// <param name="DbBytesInUse">Bytes of the file that hold something.</param>
/// <param name="IsLeader">It leads the etcd cluster.</param>
public sealed record EtcdMemberStatus(string Endpoint, string Version, long DbBytes, long DbBytesInUse, bool IsLeader);
