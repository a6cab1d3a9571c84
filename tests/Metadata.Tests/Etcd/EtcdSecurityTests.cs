using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Danube.Fast.Metadata.Tests.Etcd;

/// <summary>Users and TLS.</summary>
public sealed class EtcdSecurityTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("danube-etcd-tls-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_user_logs_in_and_again_when_etcd_has_forgotten_it()
    {
        await using EtcdProcess etcd = await EtcdProcess.StartSingleAsync();
        await EtcdTools.ControlAsync(etcd, "user", "add", "root:secret");
        await EtcdTools.ControlAsync(etcd, "user", "grant-role", "root", "root");
        await EtcdTools.ControlAsync(etcd, "auth", "enable");
        var options = new EtcdOptions { Endpoints = [etcd.Endpoint], User = "root", Password = "secret", RetryTimeout = TimeSpan.FromSeconds(60) };
        await using var store = new EtcdMetadataStore(options);
        long first = (await store.PutAsync("/a", Bytes("1"))).Revision;
        await using IAsyncEnumerator<MetadataRevision> watch = store.WatchAsync("/", first).GetAsyncEnumerator();
        Assert.True(await watch.MoveNextAsync());
        await etcd.KillAsync();
        await etcd.StartAsync();
        Assert.NotNull(await store.GetAsync("/a"));
        await etcd.KillAsync();
        await etcd.StartAsync();
        TransactionResult result = await store.CommitAsync(new MetadataTransaction().IfAbsent("/b").Put("/b", Bytes("1")));
        Assert.True(result.IsDone || result.Outcome == MetadataOutcome.Unknown, result.Reason);
        await store.PutAsync("/b", Bytes("2"));
        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60)));

        await using var nobody = new EtcdMetadataStore(options with { User = null, Password = null });
        await using var wrong = new EtcdMetadataStore(options with { Password = "wrong" });
        foreach (EtcdMetadataStore refused in (EtcdMetadataStore[])[nobody, wrong])
        {
            await Assert.ThrowsAsync<IOException>(async () => await refused.GetAsync("/a"));
            await Assert.ThrowsAsync<IOException>(async () => await refused.CommitAsync(new MetadataTransaction().Put("/c", Bytes("1"))));
        }

        Assert.Null(await store.GetAsync("/c"));
        Assert.Single(await store.GetStatusAsync());
    }

    [Fact]
    public async Task Both_sides_show_certificates_that_the_other_trusts()
    {
        string ca = WriteCertificates();
        string File(string name) => Path.Combine(_folder, name);
        await using EtcdProcess etcd = await EtcdProcess.StartSingleAsync("--cert-file", File("server.crt"), "--key-file", File("server.key"),
            "--trusted-ca-file", ca, "--client-cert-auth");
        var options = new EtcdOptions
        {
            Endpoints = [new Uri($"https://127.0.0.1:{etcd.ClientPort}")],
            CaFile = ca,
            CertificateFile = File("client.crt"),
            KeyFile = File("client.key"),
            RetryTimeout = TimeSpan.FromSeconds(60),
        };
        await using (var store = new EtcdMetadataStore(options))
        {
            Assert.NotNull(await WaitForAsync(store));
        }

        await using var stranger = new EtcdMetadataStore(options with { CaFile = null, CertificateFile = null, KeyFile = null, RetryTimeout = TimeSpan.FromSeconds(1) });
        await Assert.ThrowsAsync<MetadataUnavailableException>(async () => await stranger.GetAsync("/a"));
        Assert.Throws<ArgumentException>(() => new EtcdMetadataStore(options with { KeyFile = null }));
    }

    private static async Task<MetadataEntry?> WaitForAsync(EtcdMetadataStore store)
    {
        await store.GetAsync("/a"); // Until etcd has begun to answer.
        await store.PutAsync("/a", Bytes("1"));
        return await store.GetAsync("/a");
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private string WriteCertificates()
    {
        DateTimeOffset from = DateTimeOffset.UtcNow.AddHours(-1);
        DateTimeOffset to = from.AddDays(2);
        using var caKey = RSA.Create(2048);
        var request = new CertificateRequest("CN=danube test authority", caKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        using X509Certificate2 ca = request.CreateSelfSigned(from, to);
        string path = Path.Combine(_folder, "ca.crt");
        File.WriteAllText(path, ca.ExportCertificatePem());
        byte serial = 1;
        foreach (string name in (string[])["server", "client"])
        {
            using var key = RSA.Create(2048);
            var leaf = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            leaf.CertificateExtensions.Add(names.Build());
            leaf.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
            using X509Certificate2 certificate = leaf.Create(ca, from, to, [serial++]);
            File.WriteAllText(Path.Combine(_folder, name + ".crt"), certificate.ExportCertificatePem());
            File.WriteAllText(Path.Combine(_folder, name + ".key"), key.ExportPkcs8PrivateKeyPem());
        }

        return path;
    }
}
