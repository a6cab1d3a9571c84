using System.Globalization;
using System.Text;
using Danube.Fast.Wal;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// What a data folder remembers of its broker: a random id of the folder, and the broker id it was first used with. Whoever holds the folder's
/// lock is the only process of both.
/// </summary>
internal sealed record BrokerIdentity(string DataId, string BootId)
{
    /// <summary>Name of the file with the folder's id.</summary>
    public const string DataIdFile = "data-id";

    /// <summary>Name of the file with the broker's id.</summary>
    public const string BrokerIdFile = "broker-id";

    private const string BootIdOfLinux = "/proc/sys/kernel/random/boot_id";

    /// <summary>Reads or makes the identity of a folder.</summary>
    /// <exception cref="ForeignBrokerException">The folder was used with another broker id.</exception>
    /// <exception cref="IOException">The folder cannot be read or written.</exception>
    public static BrokerIdentity Bind(string dataFolder, int broker, WalFileSystem files)
    {
        string id = broker.ToString(CultureInfo.InvariantCulture);
        string remembered = ReadOrWrite(Path.Combine(dataFolder, BrokerIdFile), id, files);
        if (remembered != id)
        {
            throw new ForeignBrokerException(dataFolder, remembered, broker);
        }

        return new BrokerIdentity(ReadOrWrite(Path.Combine(dataFolder, DataIdFile), Guid.NewGuid().ToString("n"), files), Boot());
    }

    // Elsewhere each process counts as another start of the machine: its predecessor's key is waited for instead of replaced.
    private static string Boot() => File.Exists(BootIdOfLinux) ? File.ReadAllText(BootIdOfLinux).Trim() : Guid.NewGuid().ToString("n");

    private static string ReadOrWrite(string path, string value, WalFileSystem files)
    {
        if (files.FileExists(path))
        {
            using WalFile existing = files.Open(path);
            var bytes = new byte[existing.Length];
            return Encoding.ASCII.GetString(bytes, 0, existing.Read(bytes, 0)).Trim();
        }

        // Under a temporary name first, so that the file is never there in part.
        string temporary = path + ".tmp";
        files.Unlink(temporary);
        using (WalFile file = files.Create(temporary))
        {
            file.Write(Encoding.ASCII.GetBytes(value + "\n"), 0);
            file.DataSync();
        }

        files.Rename(temporary, path);
        files.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return value;
    }
}

/// <summary>A data folder was opened under another broker id than before.</summary>
internal sealed class ForeignBrokerException(string dataFolder, string remembered, int broker)
    : Exception($"The data folder {dataFolder} belongs to broker {remembered}, but broker.id is {broker}: use the right id, or another folder.");
