using Danube.Fast.Core;

namespace Danube.Fast.Server.Sessions.Lines;

/// <summary>Owner of lines in the send queue: their memory is the garbage collector's.</summary>
internal sealed class LineMemory : LogRunOwner
{
    public static LineMemory Owner { get; } = new();

    public override void Retain()
    {
    }

    public override void Release()
    {
    }
}
