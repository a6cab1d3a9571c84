using System.Buffers;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// Attributes of a message: up to 255 names (UTF-8, 1 to 255 bytes) with values (any bytes, up to 65,535), kept in their wire form. Make one
/// for many messages: sending it copies bytes and allocates nothing. Attributes of a received message are a view that lives as long as it.
/// </summary>
public readonly struct MessageAttributes
{
    private readonly ReadOnlyMemory<byte> _packed;

    /// <summary>Packs names and text values.</summary>
    /// <param name="attributes">Names and values; the order is kept.</param>
    /// <exception cref="ArgumentException">A name or value is too long, a name is empty, or there are more than 255.</exception>
    public MessageAttributes(params ReadOnlySpan<KeyValuePair<string, string>> attributes)
        : this(Pack(attributes))
    {
    }

    private MessageAttributes(ReadOnlyMemory<byte> packed) => _packed = packed;

    /// <summary>Number of attributes.</summary>
    public int Count => _packed.IsEmpty ? 0 : _packed.Span[0];

    /// <summary>The wire form: u8 count, then (u8 length, name, u16 length, value) each. Empty when there is none.</summary>
    public ReadOnlyMemory<byte> Packed => _packed;

    /// <summary>Packs the attributes of a dictionary.</summary>
    /// <param name="attributes">Names and values.</param>
    /// <exception cref="ArgumentException">As for the constructor.</exception>
    public static MessageAttributes From(IEnumerable<KeyValuePair<string, string>> attributes) => new(attributes.ToArray());

    internal static MessageAttributes FromPacked(ReadOnlyMemory<byte> packed) => new(packed);

    /// <summary>Finds the bytes of a value without allocating.</summary>
    /// <param name="name">The name in UTF-8.</param>
    /// <param name="value">The value when the answer is true.</param>
    public bool TryGetBytes(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var reader = new AttributeReader(_packed.Span);
        while (reader.TryRead(out ReadOnlySpan<byte> candidate, out value))
        {
            if (candidate.SequenceEqual(name))
            {
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>Finds a value as text.</summary>
    /// <param name="name">The name.</param>
    /// <param name="value">The value, read as UTF-8, when the answer is true; else empty.</param>
    public bool TryGet(string name, out string value)
    {
        bool found = TryGetBytes(Encoding.UTF8.GetBytes(name), out ReadOnlySpan<byte> bytes);
        value = Encoding.UTF8.GetString(bytes);
        return found;
    }

    /// <summary>A copy as names and text values, in their order.</summary>
    public KeyValuePair<string, string>[] ToArray()
    {
        var all = new KeyValuePair<string, string>[Count];
        var reader = new AttributeReader(_packed.Span);
        for (int i = 0; reader.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value); i++)
        {
            all[i] = new(Encoding.UTF8.GetString(name), Encoding.UTF8.GetString(value));
        }

        return all;
    }

    private static ReadOnlyMemory<byte> Pack(ReadOnlySpan<KeyValuePair<string, string>> attributes)
    {
        if (attributes.IsEmpty)
        {
            return default;
        }

        int room = 1;
        foreach ((string name, string value) in attributes)
        {
            room += AttributeWriter.Measure(Encoding.UTF8.GetByteCount(name), Encoding.UTF8.GetByteCount(value));
        }

        byte[] bytes = ArrayPool<byte>.Shared.Rent(room);
        var writer = new AttributeWriter(bytes);
        foreach ((string name, string value) in attributes)
        {
            if (!writer.TryAdd(name, Encoding.UTF8.GetBytes(value)))
            {
                ArrayPool<byte>.Shared.Return(bytes);
                throw new ArgumentException($"Attribute '{name}' cannot be packed: names take 1 to 255 bytes, values up to 65,535, and a message has at most 255 attributes.", nameof(attributes));
            }
        }

        byte[] packed = writer.Packed.ToArray();
        ArrayPool<byte>.Shared.Return(bytes);
        return packed;
    }
}
