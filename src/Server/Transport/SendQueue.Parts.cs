namespace Danube.Fast.Server.Transport;

/// <summary>The ring of parts. Every member runs under the queue's lock.</summary>
internal sealed partial class SendQueue
{
    private void Append(ReadOnlySpan<byte> bytes)
    {
        Volatile.Write(ref _smallBytes, _smallBytes + bytes.Length);
        while (!bytes.IsEmpty)
        {
            if (_tail is null || _tail.Written == SendChunk.Size)
            {
                RetireTail();
                _tail = SendChunk.Rent();
            }

            int length = Math.Min(bytes.Length, SendChunk.Size - _tail.Written);
            bytes[..length].CopyTo(_tail.Array.AsSpan(_tail.Written));
            if (!ExtendLast(length))
            {
                _tail.Parts++;
                Push(new SendPart { Chunk = _tail, Start = _tail.Written, Length = length });
            }

            _tail.Written += length;
            bytes = bytes[length..];
        }
    }

    // The sender works on a copy of the parts, so the last part may grow while it is being sent.
    private bool ExtendLast(int length)
    {
        if (_count == 0)
        {
            return false;
        }

        ref SendPart last = ref _parts[(_head + _count - 1) & (_parts.Length - 1)];
        if (last.Chunk != _tail || last.Start + last.Length != _tail!.Written)
        {
            return false;
        }

        last.Length += length;
        return true;
    }

    private void Push(in SendPart part)
    {
        if (_count == _parts.Length)
        {
            var larger = new SendPart[_parts.Length * 2];
            for (int i = 0; i < _count; i++)
            {
                larger[i] = _parts[(_head + i) & (_parts.Length - 1)];
            }

            _parts = larger;
            _head = 0;
        }

        _parts[(_head + _count++) & (_parts.Length - 1)] = part;
    }

    private int CopyFirstParts(Span<SendPart> target)
    {
        int count = Math.Min(_count, target.Length);
        for (int i = 0; i < count; i++)
        {
            target[i] = _parts[(_head + i) & (_parts.Length - 1)];
        }

        return count;
    }

    /// <summary>Drops what has left; releases the parts that are through.</summary>
    private void Consume(int bytes)
    {
        while (bytes > 0)
        {
            ref SendPart first = ref _parts[_head];
            int taken = Math.Min(bytes, first.Length);
            bytes -= taken;
            first.Start += taken;
            first.Length -= taken;
            Account(first, taken);
            if (first.Length == 0)
            {
                ReleasePart(first);
                first = default;
                _head = (_head + 1) & (_parts.Length - 1);
                _count--;
            }
        }

        if (_count == 0)
        {
            _head = 0;
            RetireTail();
        }
    }

    private void Account(in SendPart part, int bytes)
    {
        if (part.Chunk is null)
        {
            Volatile.Write(ref _runBytes, _runBytes - bytes);
        }
        else
        {
            Volatile.Write(ref _smallBytes, _smallBytes - bytes);
        }
    }

    private void ReleasePart(in SendPart part)
    {
        if (part.Chunk is null)
        {
            part.Run.Owner.Release();
        }
        else if (--part.Chunk.Parts == 0 && part.Chunk != _tail)
        {
            part.Chunk.Return();
        }
    }

    private void RetireTail()
    {
        SendChunk? tail = _tail;
        _tail = null;
        if (tail is { Parts: 0 })
        {
            tail.Return();
        }
    }

    private void ReleaseAll()
    {
        for (; _count > 0; _count--)
        {
            ReleasePart(_parts[_head]);
            _parts[_head] = default;
            _head = (_head + 1) & (_parts.Length - 1);
        }

        RetireTail();
        Volatile.Write(ref _smallBytes, 0);
        Volatile.Write(ref _runBytes, 0);
    }
}
