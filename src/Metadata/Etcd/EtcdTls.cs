using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Danube.Fast.Metadata.Etcd;

/// <summary>TLS as the options ask for it.</summary>
internal static class EtcdTls
{
    /// <summary>Null when nothing differs from what the runtime does by itself.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file is not what it should be.</exception>
    public static SslClientAuthenticationOptions? From(EtcdOptions options)
    {
        if (options.CaFile is null && options.CertificateFile is null)
        {
            return null;
        }

        var tls = new SslClientAuthenticationOptions();
        if (options.CertificateFile is not null)
        {
            using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile);

            // Windows cannot use a key that was only read from PEM; going through PKCS #12 is the documented way.
            tls.ClientCertificates = [X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null)];
        }

        if (options.CaFile is not null)
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(options.CaFile);
            tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return tls;
    }
}
