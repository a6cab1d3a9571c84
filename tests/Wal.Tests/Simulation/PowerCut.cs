namespace Danube.Fast.Wal.Tests;

/// <summary>Decides, one after the other and always in the same order, which unsynced writes and directory operations a power cut leaves on the disk.</summary>
internal abstract class PowerCut
{
    /// <summary>512-byte sectors that are kept or lost together: 1, or 8 for a page of 4 KiB.</summary>
    public virtual int SectorsPerUnit => 1;

    /// <summary>Asked for a file's length too when it has not changed.</summary>
    public virtual bool AlwaysAsks => false;

    /// <summary>The next write or operation is on the disk.</summary>
    public abstract bool Keeps();

    /// <summary>True when an older version of a kept sector is there instead of the newest one.</summary>
    public virtual bool PickOlder(int versions, out int version)
    {
        version = 0;
        return false;
    }
}

/// <summary>A random part survives, some of it in an older version.</summary>
internal sealed class RandomCut(Random random, double survival, int sectorsPerUnit = 1) : PowerCut
{
    public override int SectorsPerUnit => sectorsPerUnit;

    public override bool AlwaysAsks => true;

    public override bool Keeps() => random.NextDouble() < survival;

    public override bool PickOlder(int versions, out int version)
    {
        bool older = random.Next(4) == 0;
        version = older ? random.Next(versions) : 0;
        return older;
    }
}

/// <summary>Bit i of the mask decides about the i-th write or operation: counting through the masks tries every subset.</summary>
internal sealed class MaskCut(ulong mask, int sectorsPerUnit) : PowerCut
{
    public override int SectorsPerUnit => sectorsPerUnit;

    /// <summary>Decisions so far.</summary>
    public int Asked { get; private set; }

    public override bool Keeps() => ((mask >> (Asked++ & 63)) & 1) != 0;
}
