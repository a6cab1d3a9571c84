namespace Danube.Fast.Metadata.Tests.Etcd;

/// <summary>One etcd for all tests of a class; each test takes a prefix of its own.</summary>
public sealed class EtcdFixture : IAsyncLifetime
{
    private static int _prefixes;
    private EtcdProcess? _etcd;

    internal EtcdProcess Etcd => _etcd!;

    public EtcdOptions Options { get; private set; } = null!;

    public static string NewPrefix() => $"/t{Interlocked.Increment(ref _prefixes)}";

    public async Task InitializeAsync()
    {
        _etcd = await EtcdProcess.StartSingleAsync();
        Options = new EtcdOptions { Endpoints = [_etcd.Endpoint] };
    }

    public async Task DisposeAsync() => await Etcd.DisposeAsync();
}
