using System.Buffers;
using System.Runtime.InteropServices;
using Danube.Fast.Core;

namespace Danube.Fast.Server.Tests;

/// <summary>A run of native memory, as a mapped segment gives it, that counts its references.</summary>
internal sealed unsafe class TestRun : LogRunOwner, IDisposable
{
    private readonly NativeManager _manager;
    private int _references;

    public TestRun(int length, byte seed)
    {
        _manager = new NativeManager(length);
        for (int i = 0; i < length; i++)
        {
            _manager.GetSpan()[i] = (byte)(seed + i);
        }
    }

    /// <summary>References handed out and not given back.</summary>
    public int References => Volatile.Read(ref _references);

    public byte[] Bytes => _manager.GetSpan().ToArray();

    /// <summary>One reference for the receiver.</summary>
    public LogRun Take()
    {
        Retain();
        return new LogRun(_manager.Memory, this);
    }

    public override void Retain() => Interlocked.Increment(ref _references);

    public override void Release() => Assert.True(Interlocked.Decrement(ref _references) >= 0, "released twice");

    public void Dispose() => ((IDisposable)_manager).Dispose();

    private sealed class NativeManager(int length) : MemoryManager<byte>
    {
        private byte* _memory = (byte*)NativeMemory.Alloc((nuint)length);

        public override Span<byte> GetSpan() => new(_memory, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(_memory + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
            NativeMemory.Free(_memory);
            _memory = null;
        }
    }
}
