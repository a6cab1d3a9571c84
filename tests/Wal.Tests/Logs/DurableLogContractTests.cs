using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>The contract that the log in memory keeps too, on real files; what only files have is in <see cref="LogContractTests"/>.</summary>
public abstract class DurableLogContractTests(AppendMode mode, DurabilityClass durability) : TopicLogContract, IDisposable
{
    private readonly TempDirectory _temp = new();
    private DataDirectory? _directory;

    public void Dispose()
    {
        _directory?.Dispose();
        _temp.Dispose();
        GC.SuppressFinalize(this);
    }

    protected override TopicLog Create()
    {
        _directory = DataDirectory.Open(_temp.Root, new WalOptions { AppendMode = mode, SegmentBytes = 512 * 1024, SnapshotIntervalBytes = 128 * 1024 });
        return _directory.Create(5, durability, default);
    }
}

public sealed class WrittenFsyncContractTests() : DurableLogContractTests(AppendMode.Pwrite, DurabilityClass.Fsync);

public sealed class MappedFsyncContractTests() : DurableLogContractTests(AppendMode.Mapped, DurabilityClass.Fsync);

public sealed class WrittenOsContractTests() : DurableLogContractTests(AppendMode.Pwrite, DurabilityClass.Os);
