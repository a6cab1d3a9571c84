namespace Danube.Fast.Bench.Workers;

/// <summary>The payloads of a producer. Each begins with room for the stamp of its intended send time.</summary>
internal static class Payloads
{
    /// <summary>Bytes of the stamp: the smallest payload.</summary>
    public const int StampBytes = sizeof(long);

    /// <summary>Made up from a fixed seed, or read from the file of the job.</summary>
    /// <exception cref="InvalidDataException">The file is shorter than the payload.</exception>
    public static byte[][] Create(WorkerJob job)
    {
        byte[] file = job.PayloadFile.Length == 0 ? [] : File.ReadAllBytes(job.PayloadFile);
        if (job.PayloadFile.Length > 0 && file.Length < job.SizeBytes)
        {
            throw new InvalidDataException($"{job.PayloadFile} has {file.Length:N0} bytes, a message takes {job.SizeBytes:N0}.");
        }

        var random = new Random(7);
        byte[][] pool = new byte[Math.Max(1, file.Length > 0 ? 1 : job.PayloadPool)][];
        for (int i = 0; i < pool.Length; i++)
        {
            pool[i] = new byte[job.SizeBytes];
            if (file.Length > 0)
            {
                file.AsSpan(0, job.SizeBytes).CopyTo(pool[i]);
            }
            else
            {
                random.NextBytes(pool[i].AsSpan(0, (int)(job.SizeBytes * Math.Clamp(job.RandomShare, 0, 1))));
            }
        }

        return pool;
    }

    /// <summary>The keys of a job, null when its messages have none.</summary>
    public static byte[][]? Keys(WorkerJob job) => job.Keys == 0
        ? null
        : [.. Enumerable.Range(0, job.Keys).Select(i => System.Text.Encoding.ASCII.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"key-{i:D6}")))];
}
