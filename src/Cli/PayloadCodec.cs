using System.Buffers;
using System.Buffers.Text;

namespace Danube.Fast.Cli;

/// <summary>How a payload is written in a line of text.</summary>
public enum LineEncoding
{
    /// <summary>The bytes as they are.</summary>
    Text = 0,
    Base64 = 1,
    Hex = 2,
}

/// <summary>Turns lines into payloads and back. Uses one buffer: a result is valid until the next call.</summary>
internal sealed class PayloadCodec(LineEncoding encoding)
{
    private byte[] _scratch = new byte[4096];

    /// <summary>The payload that a line stands for.</summary>
    /// <returns>False when the line is not in this encoding.</returns>
    public bool TryDecode(ReadOnlyMemory<byte> line, out ReadOnlyMemory<byte> payload)
    {
        payload = line;
        switch (encoding)
        {
            case LineEncoding.Base64:
                {
                    Reserve(Base64.GetMaxDecodedFromUtf8Length(line.Length));
                    bool good = Base64.DecodeFromUtf8(line.Span, _scratch, out _, out int written) == OperationStatus.Done;
                    payload = _scratch.AsMemory(0, good ? written : 0);
                    return good;
                }

            case LineEncoding.Hex:
                {
                    Reserve(line.Length / 2);
                    bool good = Convert.FromHexString(line.Span, _scratch, out _, out int written) == OperationStatus.Done;
                    payload = _scratch.AsMemory(0, good ? written : 0);
                    return good;
                }

            default:
                return true;
        }
    }

    /// <summary>The text that stands for a payload.</summary>
    public ReadOnlySpan<byte> Encode(ReadOnlySpan<byte> payload)
    {
        int written;
        switch (encoding)
        {
            case LineEncoding.Base64:
                Reserve(Base64.GetMaxEncodedToUtf8Length(payload.Length));
                Base64.EncodeToUtf8(payload, _scratch, out _, out written);
                return _scratch.AsSpan(0, written);

            case LineEncoding.Hex:
                Reserve(payload.Length * 2);
                Convert.TryToHexStringLower(payload, _scratch, out written);
                return _scratch.AsSpan(0, written);

            default:
                return payload;
        }
    }

    private void Reserve(int bytes)
    {
        if (_scratch.Length < bytes)
        {
            _scratch = new byte[Math.Max(bytes, _scratch.Length * 2)];
        }
    }
}
