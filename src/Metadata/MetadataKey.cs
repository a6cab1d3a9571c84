using System.Text;

namespace Danube.Fast.Metadata;

/// <summary>Rules for keys and values that every store enforces.</summary>
public static class MetadataKey
{
    /// <summary>Longest key in UTF-8 bytes.</summary>
    public const int MaxKeyBytes = 1024;

    /// <summary>Longest value in bytes (a cluster store refuses requests much larger than this).</summary>
    public const int MaxValueBytes = 1024 * 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>UTF-8 bytes of a key: starts with '/', 1 to <see cref="MaxKeyBytes"/> bytes, valid Unicode, no control characters.</summary>
    /// <exception cref="ArgumentException">The key breaks a rule.</exception>
    public static byte[] Encode(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (key[0] != '/')
        {
            throw new ArgumentException("A metadata key starts with '/'.", nameof(key));
        }

        foreach (char c in key)
        {
            if (char.IsControl(c))
            {
                throw new ArgumentException("A metadata key must not contain control characters.", nameof(key));
            }
        }

        byte[] bytes;
        try
        {
            bytes = Strict.GetBytes(key);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException("A metadata key must be valid Unicode.", nameof(key), e);
        }

        return bytes.Length <= MaxKeyBytes
            ? bytes
            : throw new ArgumentException($"A metadata key has at most {MaxKeyBytes} bytes in UTF-8, this one has {bytes.Length}.", nameof(key));
    }

    /// <summary>Refuses values above <see cref="MaxValueBytes"/>.</summary>
    /// <exception cref="ArgumentException">The value is too long.</exception>
    public static void CheckValue(ReadOnlyMemory<byte> value)
    {
        if (value.Length > MaxValueBytes)
        {
            throw new ArgumentException($"A metadata value has at most {MaxValueBytes} bytes, this one has {value.Length}.", nameof(value));
        }
    }

    /// <summary>Refuses prefixes that no key can have: "" or something that starts with '/' is right.</summary>
    /// <exception cref="ArgumentException">The prefix starts with something else.</exception>
    public static void CheckPrefix(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        if (prefix.Length > 0 && prefix[0] != '/')
        {
            throw new ArgumentException("A prefix of metadata keys starts with '/'.", nameof(prefix));
        }
    }
}
