namespace Danube.Fast.Client;

/// <summary>
/// The contiguous bytes of a connection between "received" and "parsed". Frames are never split: when the current block has no room for the
/// rest of a frame, its beginning moves to the next block. Runs on: the receiving thread.
/// </summary>
internal sealed class ReceiveBuffer(BlockPool pool) : IDisposable
{
    // Less room than this at the end of a block is not worth a system call.
    private const int MinRoom = 8 * 1024;

    private ReceiveBlock _block = pool.Rent(BlockPool.SmallBytes);
    private int _blockSize = BlockPool.SmallBytes;
    private int _start, _end;

    /// <summary>Block that holds <see cref="Unparsed"/>; a frame that outlives the parsing takes a reference to it.</summary>
    public ReceiveBlock Block => _block;

    /// <summary>Index of the first unparsed byte in <see cref="Block"/>.</summary>
    public int Start => _start;

    public ReadOnlySpan<byte> Unparsed => _block.Bytes.AsSpan(_start, _end - _start);

    /// <summary>Where the next bytes go.</summary>
    /// <param name="frameLength">Length of the frame that begins at <see cref="Start"/>; 0 when it is not known.</param>
    public Memory<byte> Room(int frameLength)
    {
        if (_start == _end && _block.IsOnlyMine)
        {
            _start = _end = 0;
        }

        int needed = Math.Max(frameLength, _end - _start + MinRoom);
        if (_start + needed > _block.Bytes.Length)
        {
            Move(needed);
        }

        return _block.Bytes.AsMemory(_end);
    }

    /// <summary>Counts received bytes. A read that filled the room hints at more: the next block is a large one.</summary>
    public void Received(int bytes)
    {
        _end += bytes;
        if (_end == _block.Bytes.Length)
        {
            _blockSize = BlockPool.LargeBytes;
        }
    }

    public void Parsed(int bytes) => _start += bytes;

    public void Dispose() => _block.Release();

    private void Move(int needed)
    {
        ReceiveBlock next = pool.Rent(Math.Max(needed, _blockSize));
        Unparsed.CopyTo(next.Bytes);
        _block.Release();
        _end -= _start;
        _start = 0;
        _block = next;
    }
}
