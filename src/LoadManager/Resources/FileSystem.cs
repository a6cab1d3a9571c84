namespace Danube.Fast.LoadManager;

/// <summary>Space of the file system under a folder.</summary>
internal static class FileSystem
{
    /// <summary>Size and free bytes (those that this process may use); null when they cannot be read.</summary>
    public static (long? Size, long? Free) Space(string folder)
    {
        try
        {
            var drive = new DriveInfo(folder);
            return (drive.TotalSize, drive.AvailableFreeSpace);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return (null, null);
        }
    }
}
